#pragma once

#include <type_traits>

#include "config/reader.hpp"

/// The stores of the key tables: how a row puts its value into a member of the model.
namespace proxyd::config {

namespace detail {
template <class T>
struct MemberOf;
template <class Object, class Member>
struct MemberOf<Member Object::*> {
    using object = Object;
    using member = Member;
};
template <class T>
struct Plain {
    using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
    using type = T;
};
}  // namespace detail

/// A scalar; the member's type chooses how it is read.
template <auto Member>
void store(Reader& reader, const Key& key, const Node& node, void* target) {
    using Object = typename detail::MemberOf<decltype(Member)>::object;
    using Value = typename detail::Plain<typename detail::MemberOf<decltype(Member)>::member>::type;
    auto& place = static_cast<Object*>(target)->*Member;
    if constexpr (std::is_same_v<Value, bool>) {
        if (const auto value = reader.boolean(node, key.name)) place = *value;
    } else if constexpr (std::is_same_v<Value, std::string>) {
        auto value = reader.text(node, key.name);
        if (value) place = key.type == Type::path ? resolve_path(node) : std::move(*value);
    } else if constexpr (std::is_same_v<Value, vars::Template>) {
        auto value = reader.variables(node, key.name);
        if (value) place = std::move(*value);
    } else if constexpr (std::is_same_v<Value, Duration>) {
        if (const auto value = reader.number(node, key)) place = Duration{*value};
    } else {
        if (const auto value = reader.number(node, key)) place = static_cast<Value>(*value);
    }
}

/// A map whose rows describe the member.
template <auto Member>
void store_map(Reader& reader, const Key& key, const Node& node, void* target) {
    using Object = typename detail::MemberOf<decltype(Member)>::object;
    reader.read_map(node, *key.inner, Where{key.name}, &(static_cast<Object*>(target)->*Member));
}

/// The same, or the scalar that stands for it.
template <auto Member>
void store_scalar_map(Reader& reader, const Key& key, const Node& node, void* target) {
    const bool map = node.is_map() || node.is_null();
    store_map<Member>(reader, key, map ? node : expand_shorthand(node, key.scalar), target);
}

/// A map whose rows describe the same object: it only groups keys.
inline void store_group(Reader& reader, const Key& key, const Node& node, void* target) {
    reader.read_map(node, *key.inner, Where{key.name}, target);
}

/// The row is read together with the map around it; the row only makes it known and documented.
inline void with_its_map(Reader&, const Key&, const Node&, void*) {}

}  // namespace proxyd::config
