#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace proxyd::codec {

/// What a server connection may cost, per listener. 0 = no limit where a duration says so.
struct ServerLimits {
    std::chrono::milliseconds header_timeout{60'000};
    std::chrono::milliseconds body_timeout{60'000};
    std::chrono::milliseconds send_timeout{60'000};
    std::chrono::milliseconds keepalive_timeout{75'000};  ///< 0 = no keepalive
    std::uint64_t min_rate = 0;  ///< bytes/s of a body on top of body_timeout
    std::uint64_t keepalive_requests = 10'000;
    std::size_t max_header_size = 32 * 1024;
    std::size_t max_headers = 100;
    // HTTP/2
    std::uint32_t max_concurrent_streams = 128;
    std::uint32_t max_resets_per_minute = 200;  ///< of streams, by the client; 0 = no limit
};

/// What an answer's head may cost.
struct ClientLimits {
    std::size_t max_header_size = 64 * 1024;
    std::size_t max_headers = 256;
    unsigned max_informational = 32;  ///< 1xx answers before the final one
};

/// Bounds that no key changes.
constexpr std::size_t kMaxTrailerBytes = 16 * 1024;
constexpr std::size_t kMaxChunkOverhead = 4 * 1024;  ///< size line with extensions, per chunk
constexpr std::size_t kDrainBytes = 256 * 1024;      ///< of an unread body, before closing instead

}  // namespace proxyd::codec
