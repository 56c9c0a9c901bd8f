#include "proxyd/policy/cookies.hpp"

#include <string>

#include "proxyd/base/text.hpp"

namespace proxyd::policy {
namespace {

using http::Field;
using http::FieldId;

bool has_name(std::string_view pair, std::string_view name) noexcept {
    return pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name);
}

/// Calls `each` for the pairs of a Cookie field (RFC 6265 4.2.1).
template <class Each>
void for_each_pair(std::string_view cookies, Each&& each) {
    while (!cookies.empty()) {
        const std::size_t end = std::min(cookies.find(';'), cookies.size());
        const std::string_view pair = text::trim(cookies.substr(0, end));
        if (!pair.empty()) each(pair);
        cookies.remove_prefix(std::min(end + 1, cookies.size()));
    }
}

bool mentions(std::string_view cookies, std::string_view name) {
    bool found = false;
    for_each_pair(cookies, [&](std::string_view pair) { found = found || has_name(pair, name); });
    return found;
}

}  // namespace

std::string_view take_cookie(http::HeaderMap& fields, std::string_view name, Arena& arena) {
    if (!fields.maybe(FieldId::cookie)) return {};
    std::string_view value;
    bool empty_ones = false;
    std::string rest;
    for (Field& field : fields.raw()) {
        if (field.id != FieldId::cookie || !mentions(field.value, name)) continue;
        rest.clear();
        for_each_pair(field.value, [&](std::string_view pair) {
            if (has_name(pair, name)) {
                if (value.empty()) value = pair.substr(name.size() + 1);
            } else {
                rest.append(rest.empty() ? "" : "; ").append(pair);
            }
        });
        empty_ones = empty_ones || rest.empty();
        field.value = arena.copy(rest);
    }
    if (empty_ones) {
        std::erase_if(fields.raw(), [](const Field& field) {
            return field.id == FieldId::cookie && field.value.empty();
        });
    }
    return value;
}

}  // namespace proxyd::policy
