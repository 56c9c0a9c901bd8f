#pragma once

#include <algorithm>
#include <chrono>

#include "proxyd/async/loop.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec {

/// What is left of header_timeout for the first request of a connection, at least a moment; 0 = no
/// limit.
[[nodiscard]] inline std::chrono::milliseconds header_time_left(const async::Loop& loop,
                                                                const ServerLimits& limits,
                                                                const http::StreamFacts& facts) {
    if (limits.header_timeout.count() == 0) return limits.header_timeout;
    const std::chrono::milliseconds used(loop.now() - facts.connected_at);
    return std::max(limits.header_timeout - used, std::chrono::milliseconds{1});
}

}  // namespace proxyd::codec
