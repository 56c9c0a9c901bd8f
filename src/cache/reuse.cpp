#include "proxyd/cache/reuse.hpp"

#include <algorithm>

namespace proxyd::cache {

std::int64_t staleness(const Validity& validity, UnixMilliseconds now) noexcept {
    const std::int64_t by_age = validity.age_at(now) - validity.lifetime;
    if (validity.expired_at == 0) return by_age;
    // The clocks that set it and that read it may differ by a few milliseconds.
    return std::max({by_age, now - validity.expired_at, std::int64_t{1}});
}

bool is_fresh(const Validity& validity, UnixMilliseconds now) noexcept {
    return staleness(validity, now) < 0;  // RFC 9111 4.2: freshness_lifetime > current_age
}

Reuse judge_reuse(const Validity& validity, const http::CacheControl& request,
                  UnixMilliseconds now) noexcept {
    if (request.no_cache || validity.no_cache) return Reuse::validate;
    const std::int64_t stale = staleness(validity, now);
    const bool fresh = stale < 0;
    // A reload asks for max-age=0; immutable says that it would bring nothing (RFC 8246 2).
    const bool reload = request.max_age == 0 && validity.immutable && fresh;
    if (request.max_age && !reload && validity.age_at(now) > *request.max_age * 1000) {
        return Reuse::validate;
    }
    if (request.min_fresh && -stale < *request.min_fresh * 1000) return Reuse::validate;
    if (fresh) return Reuse::fresh;
    const bool accepted = request.max_stale && stale <= *request.max_stale * 1000;
    return accepted && !validity.must_revalidate ? Reuse::stale : Reuse::validate;
}

bool stale_while_revalidate(const Validity& validity, bool ordered, UnixMilliseconds now) noexcept {
    if (validity.no_cache) return false;
    if (staleness(validity, now) < validity.stale_while_revalidate) return true;
    return ordered && !validity.must_revalidate;
}

bool stale_if_error(const Validity& validity, bool ordered, const http::CacheControl& request,
                    UnixMilliseconds now) noexcept {
    if (validity.no_cache || request.no_cache) return false;
    const std::int64_t stale = staleness(validity, now);
    if (stale < validity.stale_if_error) return true;
    if (validity.must_revalidate) return false;
    return ordered || (request.stale_if_error && stale <= *request.stale_if_error * 1000);
}

}  // namespace proxyd::cache
