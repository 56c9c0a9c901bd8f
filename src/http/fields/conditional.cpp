#include "proxyd/http/fields/conditional.hpp"

namespace proxyd::http {
namespace {

std::string_view opaque(std::string_view etag) noexcept {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    return etag;
}

/// Takes the next entity tag off the front; "" at the end. Commas may stand inside the quotes.
std::string_view next_etag(std::string_view& list) noexcept {
    while (!list.empty() && (list.front() == ',' || list.front() == ' ' || list.front() == '\t')) {
        list.remove_prefix(1);
    }
    const std::size_t open = list.find('"');
    const std::size_t comma = list.find(',');
    std::size_t end = std::min(comma, list.size());
    if (open < comma) {
        const std::size_t close = list.find('"', open + 1);
        end = close == std::string_view::npos ? list.size() : close + 1;
    }
    const std::string_view etag = text::trim(list.substr(0, end));
    list.remove_prefix(end);
    return etag;
}

}  // namespace

bool is_strong_etag(std::string_view etag) noexcept {
    return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
}

bool etag_listed(std::string_view list, std::string_view etag) noexcept {
    if (text::trim(list) == "*") return true;
    if (etag.empty()) return false;
    for (std::string_view rest = list;;) {
        const std::string_view candidate = next_etag(rest);
        if (candidate.empty()) return false;
        if (opaque(candidate) == opaque(etag)) return true;
    }
}

bool is_not_modified(const HeaderMap& request, const Validators& stored, UnixSeconds now) noexcept {
    if (request.maybe(FieldId::if_none_match)) {
        bool present = false;
        for (const Field& field : request) {
            if (field.id != FieldId::if_none_match) continue;
            present = true;
            if (etag_listed(field.value, stored.etag)) return true;
        }
        if (present) return false;
    }
    const auto since = request.get(FieldId::if_modified_since);
    if (!since || request.count(FieldId::if_modified_since) != 1) return false;
    const auto asked = parse_date(*since, now);
    const auto modified =
        parse_date(stored.last_modified.empty() ? stored.date : stored.last_modified, now);
    return asked && modified && *modified <= *asked;
}

bool range_applies(const HeaderMap& request, const Validators& stored, UnixSeconds now) noexcept {
    const auto condition = request.get(FieldId::if_range);
    if (!condition) return true;
    if (condition->find('"') != std::string_view::npos) {
        return is_strong_etag(*condition) && *condition == stored.etag;
    }
    // A date is strong only when it lies a second before Date at least (RFC 9110 8.8.2.2).
    const auto asked = parse_date(*condition, now);
    const auto modified = parse_date(stored.last_modified, now);
    const auto date = parse_date(stored.date, now);
    return asked && modified && *asked == *modified && date && *date > *modified;
}

}  // namespace proxyd::http
