#include "proxyd/http/header_map.hpp"

#include <algorithm>

namespace proxyd::http {
namespace {

constexpr std::size_t kSpares = 256;
constexpr std::size_t kUsualFields = 24;
constexpr std::size_t kKeptFields = 256;

struct Spares {
    std::vector<std::vector<Field>> list;
    bool open = true;
    ~Spares() { open = false; }
};
thread_local Spares spares;

}  // namespace

HeaderMap::HeaderMap() {
    if (!spares.list.empty()) {
        fields_ = std::move(spares.list.back());
        spares.list.pop_back();
    } else {
        fields_.reserve(kUsualFields);
    }
}

HeaderMap::~HeaderMap() {
    if (fields_.capacity() == 0 || fields_.capacity() > kKeptFields) return;
    if (!spares.open || spares.list.size() >= kSpares) return;
    fields_.clear();
    spares.list.push_back(std::move(fields_));
}

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
