#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxyd/http/header_map.hpp"

namespace proxyd::http {

/// Cache-Control of a request or an answer (RFC 9111 5.2, RFC 5861, RFC 8246). Seconds. A time that
/// is no number counts as 0, of one given twice the shorter holds (RFC 9111 4.2.1); a directive
/// that names fields ("private=...") counts as without.
struct CacheControl {
    bool no_cache = false, no_store = false, is_private = false, is_public = false;
    bool must_revalidate = false, proxy_revalidate = false, must_understand = false;
    bool immutable = false, only_if_cached = false;
    std::optional<std::int64_t> max_age, s_maxage, min_fresh, max_stale;
    std::optional<std::int64_t> stale_while_revalidate, stale_if_error;
};

/// max-stale without a value.
inline constexpr std::int64_t kAnyStaleness = INT64_MAX / 4000;

/// Adds what one field line says.
void parse_cache_control(std::string_view value, CacheControl& into) noexcept;
/// All lines of Cache-Control.
[[nodiscard]] CacheControl cache_control(const HeaderMap& fields) noexcept;
/// Of a request; Pragma: no-cache counts where there is no Cache-Control (RFC 9111 5.4).
[[nodiscard]] CacheControl request_cache_control(const HeaderMap& fields) noexcept;
/// The targeted field for us (RFC 9213): CDN-Cache-Control. None when it is absent, empty or no
/// valid structured dictionary.
[[nodiscard]] std::optional<CacheControl> targeted_cache_control(const HeaderMap& fields) noexcept;

/// RFC 9111 1.2.2: digits, bounded; none for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_delta_seconds(std::string_view text) noexcept;

}  // namespace proxyd::http
