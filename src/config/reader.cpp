#include "config/reader.hpp"

#include "config/suggest.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

std::optional<std::uint64_t> parse(Type type, std::string_view text) {
    if (type == Type::size) return units::parse_size(text);
    if (type == Type::percent) return units::parse_percent(text);
    if (type != Type::duration) return units::parse_count(text);
    const auto duration = units::parse_duration(text);
    if (!duration) return std::nullopt;
    return static_cast<std::uint64_t>(duration->count());
}

std::string format(Type type, std::uint64_t value) {
    if (type == Type::size) return units::format_size(value);
    if (type == Type::percent) return std::to_string(value) + "%";
    if (type != Type::duration) return std::to_string(value);
    return units::format_duration(Duration{value});
}

std::string_view wanted(Type type) {
    if (type == Type::size) return "a size such as 64k or 10m";
    if (type == Type::percent) return "a percentage such as 20%";
    return type == Type::duration ? "a duration such as 500ms, 60s or 1h" : "a number";
}

std::string out_of_range(const Key& key) {
    std::string text = "'" + std::string(key.name) + "' must be ";
    if (key.range.max == UINT64_MAX) return text + "at least " + format(key.type, key.range.min);
    return text + "between " + format(key.type, key.range.min) + " and " +
           format(key.type, key.range.max);
}

/// What an unbuilt key may say because it changes nothing.
bool inert(const Key& key, const Node& node) {
    if (!node.is_scalar()) return false;
    if (one_of(key.inert, node.text)) return true;
    return one_of(key.inert, "off") && parse_boolean(node.text) == false;
}

}  // namespace

std::string Where::text() const {
    if (kind.empty()) return "at the top level";
    if (name.empty()) return "in '" + std::string(kind) + "'";
    return "in " + std::string(kind) + " '" + std::string(name) + "'";
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
    if (text::iequals(text, "on") || text::iequals(text, "true")) return true;
    if (text::iequals(text, "off") || text::iequals(text, "false")) return false;
    return std::nullopt;
}

std::string resolve_path(const Node& node) {
    if (node.text.empty() || node.text.front() == '/' || node.at.source == nullptr) {
        return node.text;
    }
    if (one_of("stderr|stdout|syslog", node.text) || parse_boolean(node.text)) return node.text;
    const std::string& file = *node.at.source->file;
    const std::size_t slash = file.rfind('/');
    return slash == std::string::npos ? node.text : file.substr(0, slash + 1) + node.text;
}

Node expand_shorthand(const Node& node, std::string_view scalar_key) {
    Node map;
    map.kind = Node::Kind::map;
    map.key = node.key;
    map.key_at = node.key_at;
    map.at = node.at;
    map.items.push_back(node);
    map.items.front().key = scalar_key;
    map.items.front().key_at = node.at;
    return map;
}

bool is_shorthand(const Key& key, const Node& node) noexcept {
    if (key.type != Type::map || key.scalar.empty() || node.is_null()) return false;
    if (!node.is_map()) return true;
    return key.inner->find(key.scalar)->type == Type::names && node.find(key.scalar) == nullptr;
}

const ServiceUser& Reader::service_user() {
    if (!service_user_) service_user_.emplace(snapshot.user, snapshot.group);
    return *service_user_;
}

void Reader::read_map(const Node& node, const Table& table, const Where& where, void* target,
                      void* more) {
    if (node.is_null()) return;
    if (!node.is_map()) {
        report.error(node.at,
                     std::string(table.name) + " wants a map of keys, not " + node.describe());
        return;
    }
    for (const Node& item : node.items) read_entry(item, table, where, target, more);
}

void Reader::read_entry(const Node& node, const Table& table, const Where& where, void* target,
                        void* more) {
    const Key* key = table.find(node.key);
    if (key == nullptr && table.more != nullptr) {
        key = table.more->find(node.key);
        target = more;
    }
    if (key == nullptr) {
        report.error(node.key_at, "unknown key '" + node.key + "' " + where.text(),
                     hint_for_key(node.key, table));
    } else if (key->store == nullptr) {
        if (!inert(*key, node)) not_built(node, key->name);
    } else if (is_shorthand(*key, node)) {
        key->store(*this, *key, expand_shorthand(node, key->scalar), target);
    } else {
        key->store(*this, *key, node, target);
    }
}

void Reader::apply_defaults(const Table& table, void* target) {
    for (const Key& key : table.keys) {
        const bool scalar =
            key.type != Type::list && key.type != Type::map && key.type != Type::names;
        if (!scalar || key.store == nullptr || key.inherits || key.fallback.empty()) continue;
        Node node;
        node.kind = Node::Kind::scalar;
        node.key = key.name;
        node.text = key.fallback;
        key.store(*this, key, node, target);
    }
}

std::optional<bool> Reader::boolean(const Node& node, std::string_view name) {
    if (node.is_scalar()) {
        if (const auto value = parse_boolean(node.text)) return value;
    }
    wrong(node, name, "on or off");
    return std::nullopt;
}

std::optional<std::uint64_t> Reader::number(const Node& node, const Key& key) {
    const auto value = node.is_scalar() ? parse(key.type, node.text) : std::nullopt;
    if (!value) {
        std::string hint;
        if (node.is_scalar() && key.type == Type::duration && units::parse_count(node.text)) {
            hint = "a duration needs a unit: " + node.text + "s";
        }
        wrong(node, key.name, wanted(key.type), std::move(hint));
        return std::nullopt;
    }
    if (*value < key.range.min || *value > key.range.max) {
        report.error(node.at, out_of_range(key) + ", not " + node.text);
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> Reader::text(const Node& node, std::string_view name) {
    if (node.is_scalar()) return node.text;
    wrong(node, name, "a text");
    return std::nullopt;
}

std::optional<vars::Template> Reader::variables(const Node& node, std::string_view name,
                                                bool captures) {
    if (!node.is_scalar()) {
        wrong(node, name, "a text");
        return std::nullopt;
    }
    auto parsed = vars::Template::parse(node.text, map_names, captures);
    if (parsed) return std::move(parsed).value();
    const auto& failure = parsed.error();
    Position at = node.at;
    // The mark goes to the variable itself where the text stands on its line as it is.
    const std::string_view line = at.source != nullptr ? at.source->line(at.line) : "";
    const std::size_t found = line.find(node.text, static_cast<std::size_t>(at.column) - 1);
    if (at.source != nullptr && !node.text.empty() && found != std::string_view::npos) {
        at.column = static_cast<std::int32_t>(found + failure.offset) + 1;
        at.length = static_cast<std::int32_t>(std::max<std::size_t>(
            1, node.text.find_first_of(" /\"'", failure.offset + 1) == std::string::npos
                   ? node.text.size() - failure.offset
                   : node.text.find_first_of(" /\"'", failure.offset + 1) - failure.offset));
    }
    // A suggestion is a variable, or words of its own.
    const std::string& hint = failure.suggestion;
    const bool words = hint.empty() || hint.find(' ') != std::string::npos;
    report.error(at, failure.message, words ? hint : "did you mean '" + hint + "'?");
    return std::nullopt;
}

std::vector<const Node*> Reader::scalars(const Node& node, std::string_view name) {
    std::vector<const Node*> result;
    if (node.is_scalar()) result.push_back(&node);
    if (node.is_map()) wrong(node, name, "a list");
    for (const Node& item : node.items) {
        if (!node.is_list()) break;
        if (item.is_scalar()) {
            result.push_back(&item);
        } else {
            wrong(item, name, "a list of texts");
        }
    }
    return result;
}

void Reader::wrong(const Node& node, std::string_view name, std::string_view wanted,
                   std::string hint) {
    report.error(
        node.at,
        "'" + std::string(name) + "' wants " + std::string(wanted) + ", not " + node.describe(),
        std::move(hint));
}

void Reader::not_built(const Node& node, std::string_view name) {
    report.error(node.key.empty() ? node.at : node.key_at,
                 "'" + std::string(name) + "' is not built yet");
}

}  // namespace proxyd::config
