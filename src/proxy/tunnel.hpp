#pragma once

#include <chrono>

#include "proxyd/async/loop.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::proxy {

struct TunnelResult {
    std::uint64_t from_client = 0, to_client = 0;  ///< bytes
    Reason reason = Reason::none;                  ///< none: both sides finished
};

/// Copies both directions until both have finished, one breaks, or nothing moved for `silent_for`
/// (0 = no limit). A half-close is passed on.
Task<TunnelResult> run_tunnel(async::Loop& loop, http::Tunnel& client, http::Tunnel& upstream,
                              std::chrono::milliseconds silent_for);

}  // namespace proxyd::proxy
