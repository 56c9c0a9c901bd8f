#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxyd/base/arena.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/http/message.hpp"
#include "proxyd/http/uri.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::routing {

class PathEdit;

/// A host or a location of the table, with dense numbers that index whatever the caller compiled
/// for each. They live as long as the table.
struct RoutedHost {
    const config::Host* config = nullptr;
    std::size_t index = 0;           ///< over all hosts
    std::size_t first_location = 0;  ///< index of its first location; they follow in file order
};
struct RoutedLocation {
    const config::Location* config = nullptr;
    const RoutedHost* host = nullptr;
    const PathEdit* edit = nullptr;  ///< strip, replace or rewrite; null = the path stays
    std::uint32_t index = 0;         ///< over the locations of all hosts
    config::Policy::Path path = config::Policy::Path::raw;
};

/// What route() found. Views into the target or the Scratch.
struct RouteMatch {
    const RoutedHost* host = nullptr;
    const RoutedLocation* location = nullptr;
    std::uint32_t location_index = 0;  ///< RoutedLocation::index, without a look at it
    std::string_view path;             ///< decoded, as matched ($uri)
    std::string_view encoded;          ///< normalised, for forwarding
    std::string_view query;            ///< without '?'
    bool has_query = false;
    bool asterisk = false;        ///< OPTIONS *
    bool slash_redirect = false;  ///< answer slash_redirect_target() with 301 or 308
    bool plain = false;  ///< known to forward the client's own target: the location needs no look
};

/// Memory that a route needs when its path is not plain; lives as long as the exchange. `host` is
/// set as soon as the name is known, also when no location matches.
struct Scratch {
    Scratch() = default;
    Scratch(const Scratch&) = delete;  // matches point into it
    Scratch& operator=(const Scratch&) = delete;

    http::NormalisedPath path;
    const RoutedHost* host = nullptr;
};

/// All hosts and locations of a snapshot, ready to be matched. Immutable after build(), shared by
/// threads; keeps the snapshot alive. Matching allocates nothing for plain paths.
class Table {
  public:
    static Result<std::shared_ptr<const Table>> build(
        std::shared_ptr<const config::Snapshot> snapshot);
    ~Table();
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    /// `authority` as the client sent it, validated; empty only for HTTP/1.0 without Host.
    /// Null: no host has this name on this listener.
    [[nodiscard]] const RoutedHost* find_host(std::string_view authority,
                                              std::string_view listener) const;
    /// Errors: bad_host, no_host (HTTP/2: misdirected), bad_path, no_location.
    [[nodiscard]] Result<RouteMatch> route(const http::RequestHead& head, std::string_view listener,
                                           Scratch& scratch) const;

    [[nodiscard]] const std::vector<RoutedHost>& hosts() const noexcept;
    [[nodiscard]] const std::vector<RoutedLocation>& locations() const noexcept;

  private:
    struct Impl;
    explicit Table(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The target for the upstream: the client's own spelling unless `path:` or an edit of the location
/// says otherwise; the query is kept. A view into the head or the arena. Error bad_path: the edit
/// gave a path with dot segments.
[[nodiscard]] Result<std::string_view> forward_target(const RouteMatch& match,
                                                      const http::RequestHead& head,
                                                      const vars::Scope& scope, Arena& arena);
/// The way back of strip_prefix and replace_prefix: the path that a client asks for so that `path`
/// goes upstream. Encoded paths, without query; `path` itself where no rule gives it. With
/// strip_prefix a path that lies below the prefix already stays: the application knows of it.
[[nodiscard]] std::string_view client_path(const RoutedLocation& location, std::string_view path,
                                           Arena& arena);
/// The relative Location of a slash redirect, query kept.
[[nodiscard]] std::string_view slash_redirect_target(const RouteMatch& match, Arena& arena);

}  // namespace proxyd::routing
