#include "cache/disk/format.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache/disk/bytes.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr std::uint64_t kMagic = 0x0a454843'44595850;     // "PXYDCHE\n"
constexpr std::uint64_t kEndMagic = 0x0a444e45'44595850;  // "PXYDEND\n"
constexpr std::size_t kRoomStep = 512;
constexpr std::size_t kSpareRoom = 192;
constexpr std::size_t kChecksumAt = kPreambleBytes - 8;

enum HeadFlags : std::uint16_t { kNoCache = 1, kMustRevalidate = 2, kImmutable = 4 };

std::uint16_t flags_of(const Validity& validity) noexcept {
    return static_cast<std::uint16_t>((validity.no_cache ? kNoCache : 0) |
                                      (validity.must_revalidate ? kMustRevalidate : 0) |
                                      (validity.immutable ? kImmutable : 0));
}

void put_validity(ByteWriter& out, const Validity& validity) {
    out.number(validity.stored_at);
    out.number(validity.initial_age);
    out.number(validity.lifetime);
    out.number(validity.stale_while_revalidate);
    out.number(validity.stale_if_error);
    out.number(validity.expired_at);
}

Validity take_validity(ByteReader& in, std::uint16_t flags) {
    Validity validity;
    validity.stored_at = in.number<UnixMilliseconds>();
    validity.initial_age = in.number<std::int64_t>();
    validity.lifetime = in.number<std::int64_t>();
    validity.stale_while_revalidate = in.number<std::int64_t>();
    validity.stale_if_error = in.number<std::int64_t>();
    validity.expired_at = in.number<UnixMilliseconds>();
    validity.no_cache = (flags & kNoCache) != 0;
    validity.must_revalidate = (flags & kMustRevalidate) != 0;
    validity.immutable = (flags & kImmutable) != 0;
    return validity;
}

/// Of the preamble without its last member, and of the head.
std::uint64_t front_checksum(std::uint64_t file_id, std::string_view preamble,
                             std::string_view head) noexcept {
    const std::uint64_t first = XXH3_64bits_withSeed(preamble.data(), kChecksumAt, file_id);
    return XXH3_64bits_withSeed(head.data(), head.size(), first);
}

bool decode_fields(StoredHead& head, ByteReader& in, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
        const std::string_view name = in.sized_text();
        const std::string_view value = in.sized_text();
        if (!in.failed()) head.add_field(name, value);
    }
    head.seal();
    return in.complete();
}

}  // namespace

std::uint64_t body_place(std::size_t head_bytes) noexcept {
    const std::size_t wanted = kPreambleBytes + head_bytes + kSpareRoom;
    return (wanted + kRoomStep - 1) / kRoomStep * kRoomStep;
}

std::string encode_head(const StoredHead& head) {
    std::string bytes;
    ByteWriter out(bytes);
    out.number(static_cast<std::uint16_t>(head.status));
    out.number(flags_of(head.validity));
    out.number(static_cast<std::uint32_t>(head.fields().size()));
    put_validity(out, head.validity);
    out.number(head.salt);
    out.sized_text(head.key_text);
    out.sized_text(head.url);
    out.sized_text(head.vary);
    out.sized_text(head.tags);
    for (const http::Field& field : head.fields()) {
        out.sized_text(field.name);
        out.sized_text(field.value);
    }
    return bytes;
}

std::string encode_front(const StoredHead& head, const Layout& layout) {
    const std::string encoded = encode_head(head);
    if (encoded.size() > kMostHeadBytes || head.fields().size() > kMostFields ||
        kPreambleBytes + encoded.size() > layout.body_at) {
        return {};
    }
    std::string bytes;
    bytes.reserve(layout.body_at);
    ByteWriter out(bytes);
    out.number(kMagic);
    out.number(kFormatVersion);
    out.number(static_cast<std::uint32_t>(encoded.size()));
    out.number(static_cast<std::uint32_t>(layout.body_at));
    out.number(static_cast<std::uint32_t>(kBlockBytes));
    out.number(layout.file_id);
    out.number(layout.begun_at);
    out.number(layout.body_bytes);
    out.number(std::uint64_t{0});
    out.number(front_checksum(layout.file_id, bytes, encoded));
    out.text(encoded);
    bytes.resize(layout.body_at, '\0');
    return bytes;
}

std::string encode_trailer(const Layout& layout) {
    std::string bytes;
    ByteWriter out(bytes);
    out.number(kEndMagic);
    out.number(layout.body_bytes);
    out.number(layout.file_id);
    out.number(static_cast<std::uint64_t>(
        XXH3_64bits_withSeed(bytes.data(), bytes.size(), layout.file_id)));
    return bytes;
}

std::optional<Preamble> decode_preamble(std::string_view bytes) {
    if (bytes.size() < kPreambleBytes) return std::nullopt;
    ByteReader in(bytes.substr(0, kPreambleBytes));
    if (in.number<std::uint64_t>() != kMagic) return std::nullopt;
    if (in.number<std::uint32_t>() != kFormatVersion) return std::nullopt;
    Preamble found;
    found.head_bytes = in.number<std::uint32_t>();
    found.layout.body_at = in.number<std::uint32_t>();
    if (in.number<std::uint32_t>() != kBlockBytes) return std::nullopt;
    found.layout.file_id = in.number<std::uint64_t>();
    found.layout.begun_at = in.number<std::int64_t>();
    found.layout.body_bytes = in.number<std::uint64_t>();
    (void)in.number<std::uint64_t>();
    found.checksum = in.number<std::uint64_t>();
    const bool possible = found.head_bytes <= kMostHeadBytes &&
                          found.layout.body_at >= kPreambleBytes + found.head_bytes &&
                          found.layout.body_at <= body_place(kMostHeadBytes) &&
                          found.layout.body_bytes <= kMostBodyBytes;
    return possible ? std::optional(found) : std::nullopt;
}

HeadPtr decode_head(const Preamble& preamble, std::string_view front) {
    if (front.size() < kPreambleBytes + preamble.head_bytes) return nullptr;
    const std::string_view encoded = front.substr(kPreambleBytes, preamble.head_bytes);
    if (front_checksum(preamble.layout.file_id, front, encoded) != preamble.checksum) {
        return nullptr;
    }
    auto head = decode_encoded(encoded);
    if (head) head->body_size = preamble.layout.body_bytes;
    return head;
}

boost::intrusive_ptr<StoredHead> decode_encoded(std::string_view encoded) {
    ByteReader in(encoded);
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    const auto status = in.number<std::uint16_t>();
    const auto flags = in.number<std::uint16_t>();
    const auto count = in.number<std::uint32_t>();
    if (status > 999 || count > kMostFields) return nullptr;
    head->status = status;
    head->validity = take_validity(in, flags);
    head->salt = in.number<std::uint64_t>();
    head->key_text = in.sized_text();
    head->url = in.sized_text();
    head->vary = in.sized_text();
    head->tags = in.sized_text();
    head->key = key_of(head->key_text);
    return decode_fields(*head, in, count) ? head : nullptr;
}

bool trailer_fits(const Layout& layout, std::string_view trailer) noexcept {
    return trailer == encode_trailer(layout);
}

std::uint64_t block_seed(std::uint64_t file_id, std::uint64_t number) noexcept {
    return file_id ^ ((number + 1) * 0x9e3779b97f4a7c15);
}

std::uint64_t block_checksum(const Layout& layout, std::uint64_t number,
                             std::string_view block) noexcept {
    return XXH3_64bits_withSeed(block.data(), block.size(), block_seed(layout.file_id, number));
}

void put_u64(char* to, std::uint64_t value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

std::uint64_t get_u64(const char* from) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
}

}  // namespace proxyd::cache::disk
