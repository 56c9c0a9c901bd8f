#include "proxyd/cache/storable.hpp"

#include <algorithm>
#include <charconv>

#include "proxyd/cache/reuse.hpp"
#include "proxyd/http/fields/date.hpp"

namespace proxyd::cache {
namespace {

using http::FieldId;

constexpr std::int64_t kSecond = 1000;

/// What must-understand asks of us (RFC 9111 5.2.2.3).
bool is_understood(int status) noexcept {
    constexpr int kKnown[] = {200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403,
                              404, 405, 410, 414, 421, 451, 500, 501, 502, 503, 504};
    return std::ranges::find(kKnown, status) != std::end(kKnown);
}

/// nginx's field: seconds, "@" and a Unix time, 0 = not to be stored. None: absent or no number.
std::optional<std::int64_t> accel_lifetime(const Answer& answer) noexcept {
    auto text = answer.fields->get(FieldId::x_accel_expires);
    if (!text) return std::nullopt;
    const bool absolute = text->starts_with('@');
    if (absolute) text->remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    if (absolute) value -= answer.received_at / kSecond;
    return std::clamp<std::int64_t>(value, 0, std::int64_t{1} << 31) * kSecond;
}

http::UnixSeconds date_of(const Answer& answer) noexcept {
    const http::UnixSeconds received = answer.received_at / kSecond;
    const auto text = answer.fields->get(FieldId::date);
    if (!text) return received;
    return http::parse_date(*text, received).value_or(received);
}

/// A date that is none is one in the past (RFC 9111 5.3).
std::int64_t expires_lifetime(const Answer& answer) noexcept {
    const auto text = answer.fields->get(FieldId::expires);
    const auto at = http::parse_date(*text, answer.received_at / kSecond);
    if (!at) return 0;
    return std::max<std::int64_t>(0, *at - date_of(answer)) * kSecond;
}

/// RFC 9111 4.2.3. Date tells no more than seconds, so a difference of one is none.
std::int64_t initial_age(const Answer& answer) noexcept {
    std::int64_t apparent = answer.received_at / kSecond - date_of(answer);
    if (apparent <= 1) apparent = 0;
    std::int64_t age = 0;
    if (const auto text = answer.fields->get(FieldId::age)) {
        age = http::parse_delta_seconds(text::trim(text->substr(0, text->find(',')))).value_or(0);
    }
    const std::int64_t delay = std::max<std::int64_t>(0, answer.received_at - answer.asked_at);
    return std::max(apparent * kSecond, age == 0 ? 0 : age * kSecond + delay);
}

struct Lifetime {
    std::optional<std::int64_t> value;
    bool accel = false;    ///< X-Accel-Expires said it
    bool ordered = false;  ///< the operator's `valid` did
    bool s_maxage = false;
};

Lifetime lifetime_of(const Answer& answer, const http::CacheControl& control,
                     bool targeted) noexcept {
    Lifetime lifetime;
    if (const auto accel = accel_lifetime(answer)) {
        lifetime.value = accel;
        lifetime.accel = true;
    } else if (control.s_maxage) {
        lifetime.value = *control.s_maxage * kSecond;
        lifetime.s_maxage = true;
    } else if (control.max_age) {
        lifetime.value = *control.max_age * kSecond;
    } else if (!targeted && answer.fields->get(FieldId::expires)) {
        lifetime.value = expires_lifetime(answer);
    } else if (answer.valid) {
        lifetime.value = answer.valid;
        lifetime.ordered = true;
    }
    return lifetime;
}

Validity validity_of(const Answer& answer, const http::CacheControl& control,
                     const Lifetime& lifetime) noexcept {
    Validity validity;
    validity.stored_at = answer.received_at;
    validity.lifetime = lifetime.value.value_or(0);
    // Those two speak of the time from now on.
    validity.initial_age = lifetime.ordered || lifetime.accel ? 0 : initial_age(answer);
    validity.no_cache = control.no_cache && !lifetime.accel;
    validity.immutable = control.immutable;
    const bool strict = control.must_revalidate || control.proxy_revalidate;
    validity.must_revalidate = strict || lifetime.s_maxage;  // RFC 9111 5.2.2.10
    if (!strict) {
        validity.stale_while_revalidate = control.stale_while_revalidate.value_or(0) * kSecond;
        validity.stale_if_error = control.stale_if_error.value_or(0) * kSecond;
    }
    return validity;
}

Storable storable(const Answer& answer, const http::CacheControl& control, const Lifetime& lifetime,
                  const Validity& validity) noexcept {
    if (answer.fields->get(FieldId::set_cookie)) return Storable::set_cookie;
    if (control.is_private) return Storable::is_private;
    if (answer.status < 200 || answer.status == 206 || answer.status == 304) {
        return Storable::status;
    }
    const bool understood = is_understood(answer.status);
    if (control.must_understand && !understood) return Storable::status;
    if (control.no_store && !control.must_understand) return Storable::no_store;
    if (answer.authorized && !control.is_public) return Storable::authorization;
    if (validity.no_cache) return Storable::no_cache;
    if (!lifetime.value) return Storable::no_lifetime;
    if (lifetime.accel && *lifetime.value == 0) return Storable::no_store;
    const bool usable_stale = validity.stale_while_revalidate > 0 || validity.stale_if_error > 0;
    if (!is_fresh(validity, answer.received_at) && !usable_stale) return Storable::expired;
    return Storable::yes;
}

}  // namespace

std::string_view word(Storable verdict) noexcept {
    switch (verdict) {
        case Storable::yes:
            return "stored";
        case Storable::request_no_store:
            return "request-no-store";
        case Storable::ordered:
            return "configured";
        case Storable::no_store:
            return "no-store";
        case Storable::is_private:
            return "private";
        case Storable::no_cache:
            return "no-cache";
        case Storable::set_cookie:
            return "set-cookie";
        case Storable::authorization:
            return "authorization";
        case Storable::vary:
            return "vary";
        case Storable::status:
            return "status";
        case Storable::no_lifetime:
            return "no-lifetime";
        case Storable::expired:
            return "expired";
        case Storable::too_large:
            return "too-large";
        case Storable::purged:
            return "purged";
        case Storable::no_room:
            return "no-room";
    }
    return {};
}

Judgement judge(const Answer& answer) noexcept {
    const auto targeted = http::targeted_cache_control(*answer.fields);
    const http::CacheControl control = targeted ? *targeted : http::cache_control(*answer.fields);
    const Lifetime lifetime = lifetime_of(answer, control, targeted.has_value());
    Judgement judgement;
    judgement.validity = validity_of(answer, control, lifetime);
    judgement.storable = storable(answer, control, lifetime, judgement.validity);
    return judgement;
}

}  // namespace proxyd::cache
