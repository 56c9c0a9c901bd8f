#include "proxyd/cache/entry.hpp"

#include <numeric>

namespace proxyd::cache {

void StoredHead::add_field(std::string_view name, std::string_view value) {
    Place place;
    place.name = static_cast<std::uint32_t>(text_.size());
    text_.append(name);
    place.value = static_cast<std::uint32_t>(text_.size());
    text_.append(value);
    place.end = static_cast<std::uint32_t>(text_.size());
    places_.push_back(place);
}

void StoredHead::seal() {
    key_text.shrink_to_fit();
    text_.shrink_to_fit();
    fields_.clear();
    fields_.reserve(places_.size());
    present_ = {};
    const std::string_view text = text_;
    for (const Place& place : places_) {
        const std::string_view name = text.substr(place.name, place.value - place.name);
        const http::FieldId id = http::classify(name);
        fields_.push_back({name, text.substr(place.value, place.end - place.value), id});
        present_.insert(id);
    }
    places_ = {};
}

std::string_view StoredHead::field(http::FieldId id) const noexcept {
    if (!present_.contains(id)) return {};
    for (const http::Field& field : fields_) {
        if (field.id == id) return field.value;
    }
    return {};
}

std::size_t StoredHead::memory() const noexcept {
    return sizeof(StoredHead) + key_text.capacity() + url.capacity() + vary.capacity() +
           tags.capacity() + text_.capacity() + fields_.capacity() * sizeof(http::Field);
}

boost::intrusive_ptr<StoredHead> StoredHead::copy() const {
    boost::intrusive_ptr<StoredHead> copy(new StoredHead);
    copy->key = key;
    copy->key_text = key_text;
    copy->url = url;
    copy->status = status;
    copy->validity = validity;
    copy->vary = vary;
    copy->salt = salt;
    copy->tags = tags;
    copy->body_size = body_size;
    for (const http::Field& field : fields_) copy->add_field(field.name, field.value);
    return copy;
}

StoredBody::StoredBody(std::vector<ChunkPtr> chunks)
    : chunks_(std::move(chunks)),
      size_(std::accumulate(
          chunks_.begin(), chunks_.end(), std::uint64_t{0},
          [](std::uint64_t sum, const ChunkPtr& chunk) { return sum + chunk->size(); })) {
    chunks_.shrink_to_fit();
}

}  // namespace proxyd::cache
