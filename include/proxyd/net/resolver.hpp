#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

/// What the system's resolver says of one name: its addresses, each once, with port 0, or why there
/// are none.
struct NameAnswer {
    std::vector<Endpoint> endpoints;
    std::string problem;  ///< "" = there are some
};

/// All of one load.
constexpr std::chrono::seconds kLookUpLimit{5};

/// Looks the names up at one time. Returns an answer for each, in their order, when the last one is
/// there, after `limit`, or when `stop` is asked for; what is missing then is a problem. Blocks:
/// never on a loop.
[[nodiscard]] std::vector<NameAnswer> look_up(const std::vector<std::string>& names,
                                              std::chrono::milliseconds limit = kLookUpLimit,
                                              const std::stop_token& stop = {});

}  // namespace proxyd::net
