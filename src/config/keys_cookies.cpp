#include <algorithm>

#include "config/sections.hpp"
#include "proxyd/base/text.hpp"

namespace proxyd::config {
namespace {

using Rules = std::vector<CookieRule>;

std::string domain(std::string_view text) {
    if (text.starts_with('.')) text.remove_prefix(1);
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), text::lower);
    return lower;
}

/// What ends an attribute, or a field.
bool check_value(Reader& reader, const Node& node, const Key& key) {
    if (!is_field_value(reader, node, key.name)) return false;
    if (node.text.find(';') == std::string::npos) return true;
    reader.report.error(node.at, "a ';' would end the attribute of the cookie");
    return false;
}

void read_rule(Reader& reader, const Key& key, const Node& node, Rules& rules) {
    CookieRule rule;
    const bool path = key.name == "cookie_path";
    rule.from = path ? node.key : domain(node.key);
    if (path && !rule.from.starts_with('/')) {
        reader.report.error(node.key_at, "'" + node.key + "' is not a path", "/" + node.key);
        return;
    }
    rule.remove = node.is_scalar() && parse_boolean(node.text) == false;
    if (!rule.remove) {
        auto to = reader.variables(node, node.key);
        if (!to || !check_value(reader, node, key)) return;
        rule.to = *std::move(to);
    }
    std::erase_if(rules, [&](const CookieRule& outer) { return outer.from == rule.from; });
    rules.push_back(std::move(rule));
}

void read_rules(Reader& reader, const Key& key, const Node& node, Rules& rules,
                std::string_view example) {
    if (node.is_null()) return;
    if (node.is_scalar() && parse_boolean(node.text) == false) return rules.clear();
    if (!node.is_map()) {
        return reader.wrong(node, key.name, "a map", std::string(key.name) + std::string(example));
    }
    for (const Node& item : node.items) read_rule(reader, key, item, rules);
}

}  // namespace

void store_cookie_domain(Reader& reader, const Key& key, const Node& node, void* policy) {
    read_rules(reader, key, node, static_cast<Policy*>(policy)->cookie_domain,
               ": { backend.internal: $host }");
}

void store_cookie_path(Reader& reader, const Key& key, const Node& node, void* policy) {
    Rules& rules = static_cast<Policy*>(policy)->cookie_path;
    read_rules(reader, key, node, rules, ": { /: /api/ }");
    std::stable_sort(rules.begin(), rules.end(), [](const CookieRule& a, const CookieRule& b) {
        return a.from.size() > b.from.size();
    });
}

}  // namespace proxyd::config
