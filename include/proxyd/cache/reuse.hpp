#pragma once

#include <cstdint>

#include "proxyd/cache/entry.hpp"
#include "proxyd/http/fields/cache_control.hpp"

namespace proxyd::cache {

/// What a stored answer is good for, now and for this request (RFC 9111 4.2, 5.2.1).
enum class Reuse : std::uint8_t {
    fresh,
    stale,     ///< but the client takes it so (max-stale)
    validate,  ///< only after the upstream agreed
};
[[nodiscard]] Reuse judge_reuse(const Validity& validity, const http::CacheControl& request,
                                UnixMilliseconds now) noexcept;

[[nodiscard]] bool is_fresh(const Validity& validity, UnixMilliseconds now) noexcept;
/// Milliseconds since it went stale; negative: until then.
[[nodiscard]] std::int64_t staleness(const Validity& validity, UnixMilliseconds now) noexcept;

/// While it is being fetched anew: because the answer said so (RFC 5861 3) or the operator does
/// (`ordered`), but never against must-revalidate.
[[nodiscard]] bool stale_while_revalidate(const Validity& validity, bool ordered,
                                          UnixMilliseconds now) noexcept;
/// When the upstream failed (RFC 5861 4); the client may allow it too.
[[nodiscard]] bool stale_if_error(const Validity& validity, bool ordered,
                                  const http::CacheControl& request, UnixMilliseconds now) noexcept;

}  // namespace proxyd::cache
