#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exchange.hpp"

namespace proxyd::proxy {

/// The parameters of our member of Cache-Status (RFC 9211 2).
struct CacheStatus {
    bool hit = false;
    std::string_view fwd;  ///< why it went to the upstream: "uri-miss", "stale", ...
    int fwd_status = 0;    ///< 0 = unknown
    bool stored = false;
    bool collapsed = false;
    std::optional<std::int64_t> ttl;  ///< seconds; negative = stale for so long
    std::string_view detail;
};
/// Notes both for the answer and the log.
void set_cache_status(Exchange& exchange, CacheWord word, const CacheStatus& status);

}  // namespace proxyd::proxy
