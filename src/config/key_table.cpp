#include "config/key_table.hpp"

#include <string>

namespace proxyd::config {

std::string_view name_of(Type type) noexcept {
    switch (type) {
        case Type::boolean:
            return "on/off";
        case Type::count:
            return "number";
        case Type::size:
            return "size";
        case Type::duration:
            return "duration";
        case Type::percent:
            return "percentage";
        case Type::text:
            return "text";
        case Type::word:
            return "word";
        case Type::path:
            return "file";
        case Type::address:
        case Type::bind:
            return "address";
        case Type::variables:
            return "text with $variables";
        case Type::list:
            return "list";
        case Type::map:
            return "map";
        case Type::names:
            return "map of names";
        case Type::files:
            return "map of files";
        case Type::other:
            break;
    }
    return "see text";
}

const Key* Table::find(std::string_view key) const noexcept {
    for (const Key& row : keys) {
        if (row.name == key) return &row;
    }
    return nullptr;
}

void walk(const Table& table, const std::string& prefix, const Visit& each) {
    for (const Key& key : table.keys) {
        const std::string path = prefix + std::string(key.name);
        each(path, table, key);
        if (key.inner == nullptr) continue;
        walk(*key.inner, path + (key.type == Type::names ? ".NAME." : "."), each);
    }
    if (table.more != nullptr) walk(*table.more, prefix, each);
}

}  // namespace proxyd::config
