#include "proxyd/http/fields/cache_control.hpp"

#include <algorithm>

namespace proxyd::http {
namespace {

constexpr std::int64_t kLongest = std::int64_t{1} << 31;

/// The next element of a list whose commas may stand inside quotes.
std::string_view next_element(std::string_view& list) noexcept {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < list.size(); ++end) {
        const char c = list[end];
        if (quoted && c == '\\') {
            ++end;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            break;
        }
    }
    end = std::min(end, list.size());
    const std::string_view element = text::trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return element;
}

std::string_view unquoted(std::string_view value) noexcept {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value.remove_prefix(1);
        value.remove_suffix(1);
    }
    return value;
}

struct Flag {
    std::string_view name;
    bool CacheControl::*member;
};
constexpr Flag kFlags[] = {
    {"no-cache", &CacheControl::no_cache},
    {"no-store", &CacheControl::no_store},
    {"private", &CacheControl::is_private},
    {"public", &CacheControl::is_public},
    {"must-revalidate", &CacheControl::must_revalidate},
    {"proxy-revalidate", &CacheControl::proxy_revalidate},
    {"must-understand", &CacheControl::must_understand},
    {"immutable", &CacheControl::immutable},
    {"only-if-cached", &CacheControl::only_if_cached},
};

struct Time {
    std::string_view name;
    std::optional<std::int64_t> CacheControl::*member;
};
constexpr Time kTimes[] = {
    {"max-age", &CacheControl::max_age},
    {"s-maxage", &CacheControl::s_maxage},
    {"min-fresh", &CacheControl::min_fresh},
    {"max-stale", &CacheControl::max_stale},
    {"stale-while-revalidate", &CacheControl::stale_while_revalidate},
    {"stale-if-error", &CacheControl::stale_if_error},
};

void apply(std::string_view element, CacheControl& into) noexcept {
    const std::size_t equals = element.find('=');
    const std::string_view name = text::trim(element.substr(0, equals));
    for (const Flag& flag : kFlags) {
        if (text::iequals(name, flag.name)) into.*flag.member = true;
    }
    for (const Time& time : kTimes) {
        if (!text::iequals(name, time.name)) continue;
        std::int64_t seconds = 0;
        if (equals != std::string_view::npos) {
            seconds =
                parse_delta_seconds(unquoted(text::trim(element.substr(equals + 1)))).value_or(0);
        } else if (time.member == &CacheControl::max_stale) {
            seconds = kAnyStaleness;
        }
        auto& place = into.*time.member;
        place = place ? std::min(*place, seconds) : seconds;
    }
}

/// A key and a value of RFC 9651's dictionary, as far as Cache-Control needs them.
bool is_dictionary_member(std::string_view element) noexcept {
    const std::size_t equals = element.find('=');
    const std::string_view key = element.substr(0, equals);
    const auto is_key_char = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.' || c == '*';
    };
    if (key.empty() || !(key.front() == '*' || (key.front() >= 'a' && key.front() <= 'z')) ||
        !std::ranges::all_of(key, is_key_char)) {
        return false;
    }
    if (equals == std::string_view::npos) return true;
    const std::string_view value = element.substr(equals + 1);
    return !value.empty() && value.find(' ') == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> parse_delta_seconds(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = std::min(value * 10 + (c - '0'), kLongest);
    }
    return value;
}

void parse_cache_control(std::string_view value, CacheControl& into) noexcept {
    while (!value.empty()) {
        const std::string_view element = next_element(value);
        if (!element.empty()) apply(element, into);
    }
}

CacheControl cache_control(const HeaderMap& fields) noexcept {
    CacheControl control;
    if (!fields.maybe(FieldId::cache_control)) return control;
    for (const Field& field : fields) {
        if (field.id == FieldId::cache_control) parse_cache_control(field.value, control);
    }
    return control;
}

CacheControl request_cache_control(const HeaderMap& fields) noexcept {
    CacheControl control = cache_control(fields);
    if (!fields.maybe(FieldId::pragma) || fields.get(FieldId::cache_control)) return control;
    CacheControl pragma;
    parse_cache_control(fields.get(FieldId::pragma).value_or(std::string_view{}), pragma);
    control.no_cache = pragma.no_cache;
    return control;
}

std::optional<CacheControl> targeted_cache_control(const HeaderMap& fields) noexcept {
    if (!fields.maybe(FieldId::cdn_cache_control)) return std::nullopt;
    CacheControl control;
    bool any = false;
    for (const Field& field : fields) {
        if (field.id != FieldId::cdn_cache_control) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const std::string_view element = next_element(rest);
            if (!is_dictionary_member(element)) return std::nullopt;
            apply(element, control);
            any = true;
        }
    }
    if (!any) return std::nullopt;
    return control;
}

}  // namespace proxyd::http
