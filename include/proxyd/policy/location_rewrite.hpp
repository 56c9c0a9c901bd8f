#pragma once

#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/policy/own_names.hpp"

namespace proxyd::policy {

/// What the references of an upstream's answer are measured by.
struct LocationFacts {
    const OwnNames& own;
    std::string_view client_host;  ///< the authority as the client sent it
    std::string_view sent_host;    ///< Host as the upstream got it
    /// The path that the client must ask for, of a path as the upstream has it.
    std::string_view (*client_path)(const void* context, std::string_view path, Arena& arena);
    const void* context;
};

/// A reference that names the upstream itself becomes one relative to the client's own host, so
/// that the scheme and the port by which the client came in stay right whatever stands in front.
/// One that names the client's host keeps it; in both, and in an absolute path, the path becomes
/// the client's. Other hosts, other schemes, relative paths and what is malformed stay.
[[nodiscard]] std::string_view rewrite_reference(std::string_view reference,
                                                 const LocationFacts& facts, Arena& arena);
/// The same for the url of a Refresh: "5; url=http://...", in quotes or not.
[[nodiscard]] std::string_view rewrite_refresh(std::string_view value, const LocationFacts& facts,
                                               Arena& arena);

}  // namespace proxyd::policy
