#include "proxyd/http/header_map.hpp"

#include <algorithm>

namespace proxyd::http {
std::optional<std::string_view> HeaderMap::get(FieldId id) const noexcept {
    if (!present_.contains(id)) return std::nullopt;
    for (const Field& field : fields_) {
        if (field.id == id) return field.value;
    }
    return std::nullopt;
}

std::optional<std::string_view> HeaderMap::get(std::string_view name) const noexcept {
    const FieldId id = classify(name);
    if (id != FieldId::other) return get(id);
    for (const Field& field : fields_) {
        if (field.is(id, name)) return field.value;
    }
    return std::nullopt;
}

std::size_t HeaderMap::count(FieldId id) const noexcept {
    if (!present_.contains(id)) return 0;
    return static_cast<std::size_t>(
        std::ranges::count_if(fields_, [id](const Field& field) { return field.id == id; }));
}

void HeaderMap::remove(FieldId id) noexcept {
    if (!present_.contains(id)) return;
    std::erase_if(fields_, [id](const Field& field) { return field.id == id; });
}

void HeaderMap::remove(std::string_view name) noexcept {
    const FieldId id = classify(name);
    if (id != FieldId::other) return remove(id);
    std::erase_if(fields_, [&](const Field& field) { return field.is(id, name); });
}

void HeaderMap::remove_all(FieldSet ids) noexcept {
    std::erase_if(fields_, [ids](const Field& field) { return ids.contains(field.id); });
}

void HeaderMap::set(FieldId id, std::string_view name, std::string_view value) {
    const auto matches = [&](const Field& field) { return field.is(id, name); };
    const auto first = std::ranges::find_if(fields_, matches);
    if (first == fields_.end()) return add(id, name, value);
    first->value = value;
    first->name = name;
    fields_.erase(std::remove_if(first + 1, fields_.end(), matches), fields_.end());
}

}  // namespace proxyd::http
