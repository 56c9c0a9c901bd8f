#include "config/keys_maps.hpp"

#include <algorithm>

#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

Map::Value pattern_of(std::string_view text) {
    Map::Value value;
    value.kind = Map::Value::Kind::regex;
    if (text.starts_with("~*")) {
        value.case_sensitive_regex = false;
        value.pattern = text.substr(2);
    } else if (text.starts_with('~')) {
        value.pattern = text.substr(1);
    } else if (text.ends_with('*')) {
        value.kind = Map::Value::Kind::prefix;
        value.pattern = text.substr(0, text.size() - 1);
    } else if (text.starts_with('*')) {
        value.kind = Map::Value::Kind::suffix;
        value.pattern = text.substr(1);
    } else {
        value.kind = Map::Value::Kind::exact;
        value.pattern = text;
    }
    return value;
}

void store_values(Reader& reader, const Key& key, const Node& node, void* target) {
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map of values", "values: { \"a\": \"b\" }");
    }
    for (const Node& item : node.items) {
        Map::Value value = pattern_of(item.key);
        if (value.kind == Map::Value::Kind::regex &&
            !check_regex(reader, item.key_at, value.pattern, value.case_sensitive_regex)) {
            continue;
        }
        auto parsed = reader.variables(item, item.key);
        if (!parsed) continue;
        value.value = *std::move(parsed);
        static_cast<Map*>(target)->values.push_back(std::move(value));
    }
}

constexpr Key kKeys[] = {
    {.name = "from",
     .type = Type::variables,
     .doc = "What is looked up.",
     .store = store<&Map::from>},
    {.name = "values",
     .type = Type::map,
     .doc = "Pattern: result. A pattern is a text, `prefix*`, `*suffix`, `'~regex'` or "
            "`'~*regex'` (without case); exact, longest prefix, longest suffix, first regex.",
     .store = store_values},
    {.name = "default",
     .type = Type::variables,
     .fallback = "\"\"",
     .doc = "The result when no pattern matches.",
     .store = store<&Map::default_value>,
     .inherits = true},
};

bool valid_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    }) && (name.front() < '0' || name.front() > '9');
}

void add_uses(const vars::Template& text, std::vector<std::string>& uses) {
    for (const auto& part : text.parts()) {
        if (!part.literal && part.var == vars::Var::map) uses.push_back(part.text);
    }
}

/// Finds a way from `name` back to `start`.
bool reaches(const std::map<std::string, std::vector<std::string>>& uses, const std::string& name,
             const std::string& start, std::set<std::string>& seen) {
    const auto found = uses.find(name);
    if (found == uses.end() || !seen.insert(name).second) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const std::string& next) {
        return next == start || reaches(uses, next, start, seen);
    });
}

/// A map that needs itself would never end at run time.
void check_cycles(Reader& reader, const Node& node) {
    std::map<std::string, std::vector<std::string>> uses;
    for (const Map& map : reader.snapshot.maps) {
        auto& list = uses[map.name];
        add_uses(map.from, list);
        add_uses(map.default_value, list);
        for (const auto& value : map.values) add_uses(value.value, list);
    }
    for (const Node& item : node.items) {
        std::set<std::string> seen;
        if (reaches(uses, item.key, item.key, seen)) {
            reader.report.error(item.key_at, "map '" + item.key + "' needs its own value");
        }
    }
}

void read_one_map(Reader& reader, const Node& node) {
    if (!valid_name(node.key)) {
        reader.report.error(node.key_at, "'" + node.key + "' cannot be the name of a variable",
                            "letters, digits and '_'");
        return;
    }
    if (auto builtin = vars::Template::parse("$" + node.key)) {
        reader.report.error(node.key_at, "'$" + node.key + "' is a variable of proxyd itself",
                            "choose another name");
        return;
    }
    Map map;
    map.name = node.key;
    const std::size_t errors = reader.report.errors();
    reader.read_map(node, kMapTable, Where{"map", node.key}, &map);
    if (reader.report.errors() == errors && node.find("from") == nullptr) {
        reader.report.error(node.key_at, "map '" + node.key + "' has no 'from'",
                            "from: $http_host");
    }
    reader.snapshot.maps.push_back(std::move(map));
}

}  // namespace

constinit const Table kMapTable{.name = "a map", .keys = kKeys};

void store_maps(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) return reader.wrong(node, key.name, "a map of names");
    for (const Node& item : node.items) read_one_map(reader, item);
    check_cycles(reader, node);
}

}  // namespace proxyd::config
