#include "proxyd/policy/cookie_rules.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "proxyd/base/text.hpp"
#include "proxyd/policy/header_rules.hpp"

namespace proxyd::policy {
namespace {

using config::CookieRule;
using Rules = std::span<const CookieRule>;

/// What becomes of an attribute: nothing, another value, or it goes.
struct Change {
    bool remove = false;
    std::string value;
};

/// Nothing where what a request put into the value would end the attribute.
std::optional<Change> change_to(const CookieRule& rule, const vars::Scope& scope) {
    Change change;
    change.remove = rule.remove;
    if (!rule.remove) rule.to.expand(scope, change.value);
    const bool sound = is_field_value(change.value) && change.value.find(';') == std::string::npos;
    return sound ? std::optional(std::move(change)) : std::nullopt;
}

std::optional<Change> domain_change(Rules rules, std::string_view value, const vars::Scope& scope) {
    if (value.starts_with('.')) value.remove_prefix(1);
    for (const CookieRule& rule : rules) {
        if (text::iequals(rule.from, value)) return change_to(rule, scope);
    }
    return std::nullopt;
}

/// Whole elements: "/app" holds "/app/x", never "/apple".
bool below(std::string_view path, std::string_view prefix) noexcept {
    return path.starts_with(prefix) &&
           (prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::optional<Change> path_change(Rules rules, std::string_view value, const vars::Scope& scope) {
    for (const CookieRule& rule : rules) {
        if (!below(value, rule.from)) continue;
        auto change = change_to(rule, scope);
        if (!change || change->remove) return change;
        std::string_view rest = value.substr(rule.from.size());
        // Joined with one slash.
        while (rest.starts_with('/')) rest.remove_prefix(1);
        if (!rest.empty() && !change->value.ends_with('/')) change->value += '/';
        change->value += rest;
        return change;
    }
    return std::nullopt;
}

}  // namespace

std::string_view CookieRules::rewrite(std::string_view set_cookie, const vars::Scope& scope,
                                      Arena& arena) const {
    std::string out;
    bool changed = false;
    for (std::size_t at = 0; at <= set_cookie.size();) {
        const std::size_t end = std::min(set_cookie.find(';', at), set_cookie.size());
        const std::string_view piece = set_cookie.substr(at, end - at);
        const std::size_t equals = piece.find('=');
        std::optional<Change> change;
        if (at != 0 && equals != piece.npos) {  // the first piece is the cookie itself
            const std::string_view name = text::trim(piece.substr(0, equals));
            const std::string_view value = text::trim(piece.substr(equals + 1));
            if (text::iequals(name, "domain")) change = domain_change(domains_, value, scope);
            if (text::iequals(name, "path")) change = path_change(paths_, value, scope);
        }
        const bool removed = change && change->remove;
        if (at != 0 && !removed) out += ';';
        if (!change) {
            out += piece;
        } else if (!removed) {
            out.append(piece.substr(0, equals + 1)).append(change->value);
        }
        changed = changed || change.has_value();
        at = end + 1;
    }
    return changed ? arena.copy(out) : set_cookie;
}

}  // namespace proxyd::policy
