#include <algorithm>

#include "config/address.hpp"
#include "config/files.hpp"
#include "config/key_table.hpp"
#include "config/keys_tls.hpp"
#include "config/reader.hpp"
#include "config/suggest.hpp"
#include "config/yaml_writer.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

/// "3001" -> 127.0.0.1:3001; the name of an upstream stays.
std::string address_text(Type type, const std::string& text) {
    if (type == Type::address && !looks_like_address(text)) return text;
    const AddressResult result =
        type == Type::bind ? parse_listen_address(text) : parse_server_address(text);
    return result.address ? result.address->text : text;
}

/// One value in the spelling that every file gets: "TRUE" -> on, "1024k" -> 1m.
std::string normalised(const Key& key, const Node& node) {
    const auto word = parse_boolean(node.text);
    const bool switches = key.type == Type::boolean || key.type == Type::map ||
                          one_of(key.words, "off") || one_of(key.inert, "off");
    if (switches && word) return *word ? "on" : "off";
    if (key.type == Type::address || key.type == Type::bind) {
        return yaml_scalar(address_text(key.type, node.text));
    }
    if (key.type == Type::duration) {
        const auto value = units::parse_duration(node.text);
        if (value) return units::format_duration(*value);
    }
    if (key.type == Type::size) {
        const auto value = units::parse_size(node.text);
        if (value) return units::format_size(*value);
    }
    if (key.type == Type::percent) {
        if (const auto value = units::parse_percent(node.text)) return std::to_string(*value) + "%";
    }
    return yaml_scalar(key.type == Type::path ? resolve_path(node) : node.text);
}

/// What a file without listeners has, as a tree.
Node default_listeners(bool tls) {
    Node address;
    address.kind = Node::Kind::scalar;
    address.text = ":80";
    Node listeners = expand_shorthand(expand_shorthand(address, "address"), "http");
    if (!tls) return listeners;
    address.text = ":443";
    Node https = expand_shorthand(address, "address");
    https.key = "https";
    https.items.push_back(address);
    https.items.back().key = "tls";
    https.items.back().text = "on";
    listeners.items.push_back(std::move(https));
    return listeners;
}

/// Writes the tree in the order of the tables; unknown keys, which load() refuses, are left out.
class Dumper {
  public:
    Dumper(YamlWriter& writer, bool tls) : writer_(writer), tls_(tls) {}

    /// `defaults`: also the rows that are not given. Inner levels leave them to the outer ones.
    void table(const Node& node, const Table& table, bool defaults) {
        for (const Key& key : table.keys) row(key, node.find(key.name), defaults);
        if (table.more == nullptr) return;
        const bool own_level = table.more == &kPolicyTable && &table == &kDefaultsTable;
        for (const Key& key : table.more->keys) {
            if (table.find(key.name) == nullptr) row(key, node.find(key.name), own_level);
        }
    }

  private:
    void row(const Key& key, const Node* node, bool defaults) {
        if (key.name == "include") return;  // merged
        if (node != nullptr) {
            given(key, *node, defaults && !key.inherits);
        } else if (defaults && key.store != nullptr && !key.inherits) {
            absent(key);
        }
    }

    void absent(const Key& key) {
        if (key.inner == &kListenerTable) return names(key, default_listeners(tls_));
        if (!key.fallback.empty()) return writer_.fallback(key.name, key.fallback);
        if (key.type != Type::map || key.inner == nullptr) return;
        if (key.scalar.empty() || key.inner->find(key.scalar)->fallback.size() > 0) {
            nested(key, Node{}, *key.inner, true);
        }
    }

    void given(const Key& key, const Node& node, bool defaults) {
        if (key.type == Type::names && key.inner != nullptr) {
            names(key, node);
        } else if (key.type == Type::map && key.inner != nullptr) {
            map(key, node, defaults);
        } else if (key.type == Type::list && key.inner != nullptr) {
            list(key, node);
        } else if (key.type == Type::files) {
            files(key, node);
        } else if (key.type == Type::list && node.is_scalar() && !parse_boolean(node.text)) {
            writer_.value(key.name, "[" + yaml_scalar(node.text) + "]", node.key_at);
        } else if (node.is_scalar()) {
            writer_.value(key.name, normalised(key, node), node.key_at);
        } else {
            writer_.tree(key.name, node);
        }
    }

    void map(const Key& key, const Node& node, bool defaults) {
        const bool off = node.is_scalar() && parse_boolean(node.text).has_value();
        if (off || (node.is_scalar() && key.scalar.empty())) {
            return writer_.value(key.name, normalised(key, node), node.key_at);
        }
        const bool expand = is_shorthand(key, node);
        nested(key, expand ? expand_shorthand(node, key.scalar) : node, *key.inner, defaults);
    }

    void nested(const Key& key, const Node& node, const Table& inner, bool defaults) {
        const std::size_t start = writer_.size();
        writer_.open(key.name, node.key_at);
        const std::size_t body = writer_.size();
        table(node, inner, defaults);
        writer_.close_or_erase(start, body);
    }

    void names(const Key& key, const Node& node) {
        if (node.items.empty()) return;
        const bool level = key.inner == &kHostTable || key.inner == &kLocationTable;
        writer_.open(key.name, node.key_at);
        for (const Node& item : node.items) {
            const bool expand = item.is_scalar() || item.is_list();
            if (item.is_null() || (item.is_map() && item.items.empty() && level)) {
                writer_.value(item.key, "{}", item.key_at);
                continue;
            }
            writer_.open(item.key, item.key_at);
            table(expand ? expand_shorthand(item, key.scalar) : item, *key.inner, !level);
            writer_.close();
        }
        writer_.close();
    }

    void list(const Key& key, const Node& node) {
        writer_.open(key.name, node.key_at);
        if (node.is_scalar()) item(key, node);
        for (const Node& child : node.items) item(key, child);
        writer_.close();
    }

    void item(const Key& key, const Node& node) {
        writer_.open_item(node.at);
        table(node.is_map() ? node : expand_shorthand(node, key.scalar), *key.inner, true);
        writer_.close();
    }

    void files(const Key& key, const Node& node) {
        if (node.items.empty()) return;
        writer_.open(key.name, node.key_at);
        for (const Node& child : node.items) {
            writer_.value(child.key, yaml_scalar(resolve_path(child)), child.key_at);
        }
        writer_.close();
    }

    YamlWriter& writer_;
    const bool tls_;  ///< some host has it
};

}  // namespace

std::string dump(const LoadOptions& options) {
    Report report;
    const FileSet files = read_files(options, report);
    std::string out = "# configuration file " + options.path + "\n";
    YamlWriter writer(out);
    Dumper(writer, asks_for_tls(files.root)).table(files.root, kTopTable, true);
    return out;
}

}  // namespace proxyd::config
