#include "config/yaml_tree.hpp"

namespace proxyd::config {

const Node* Node::find(std::string_view name) const noexcept {
    if (!is_map()) return nullptr;
    for (const Node& item : items) {
        if (item.key == name) return &item;
    }
    return nullptr;
}

Node* Node::find(std::string_view name) noexcept {
    return const_cast<Node*>(static_cast<const Node*>(this)->find(name));  // NOLINT
}

std::string Node::describe() const {
    switch (kind) {
        case Kind::null:
            return "nothing";
        case Kind::list:
            return "a list";
        case Kind::map:
            return "a map";
        case Kind::scalar:
            break;
    }
    constexpr std::size_t kLongest = 60;
    return text.size() <= kLongest ? "'" + text + "'" : "'" + text.substr(0, kLongest) + "...'";
}

}  // namespace proxyd::config
