#include "proxyd/policy/header_rules.hpp"

#include <algorithm>

#include "proxyd/base/text.hpp"

namespace proxyd::policy {
namespace {

using Op = config::HeaderRule::Op;

bool has_field(const http::HeaderMap& fields, const config::HeaderRule& rule) noexcept {
    return std::ranges::any_of(
        fields, [&](const http::Field& field) { return field.is(rule.id, rule.name); });
}

void remove_field(http::HeaderMap& fields, const config::HeaderRule& rule) noexcept {
    if (rule.id != http::FieldId::other) return fields.remove(rule.id);
    fields.remove(rule.name);
}

/// Empty when nothing may be sent.
std::string_view value_of(const config::HeaderRule& rule, const vars::Scope& scope, Arena& arena) {
    if (rule.value.constant()) {
        const std::string_view literal = text::trim(rule.value.literal());
        return is_field_value(literal) ? literal : std::string_view{};
    }
    thread_local std::string expanded;
    expanded.clear();
    rule.value.expand(scope, expanded);
    const std::string_view value = text::trim(expanded);
    return is_field_value(value) ? arena.copy(value) : std::string_view{};
}

bool is_secure(const vars::Scope& scope) {
    std::string on;  // short: never on the heap
    scope.append(vars::Var::https, {}, on);
    return !on.empty();
}

void apply_rule(const config::HeaderRule& rule, http::HeaderMap& fields, const vars::Scope& scope,
                Arena& arena) {
    if (rule.op == Op::remove) return remove_field(fields, rule);
    if (rule.op == Op::set_if_absent && has_field(fields, rule)) return;
    if (rule.over_tls && !is_secure(scope)) return;
    const std::string_view value = value_of(rule, scope, arena);
    if (rule.op == Op::set) {
        if (value.empty() && rule.id == http::FieldId::host) return;  // a request has one
        return value.empty() ? remove_field(fields, rule) : fields.set(rule.id, rule.name, value);
    }
    if (!value.empty()) fields.add(rule.id, rule.name, value);
}

}  // namespace

bool is_field_value(std::string_view value) noexcept {
    return std::ranges::none_of(value, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

void HeaderRules::apply(http::HeaderMap& fields, const vars::Scope& scope, Arena& arena) const {
    for (const config::HeaderRule& rule : rules_) apply_rule(rule, fields, scope, arena);
}

}  // namespace proxyd::policy
