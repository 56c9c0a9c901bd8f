#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxyd/cache/entry.hpp"

/// The file of one entry. Little endian, every length bounded and checked before it is used:
///
///     preamble   64 bytes: magic, version, sizes, id, times, checksum of itself and the head
///     head       status, times, key, URL, vary, tags, fields
///     room       zeros up to a multiple of 512, so that a newer head fits in its place
///     body       blocks of 64 KiB, the last one shorter, each followed by its checksum
///     trailer    32 bytes: magic, size of the body, id, checksum
///
/// Checksums are XXH3-64. They are seeded with the random id of the file, and those of blocks with
/// their number too, so that no block passes in another place. They tell accidents, not attacks.
namespace proxyd::cache::disk {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kPreambleBytes = 64;
constexpr std::size_t kTrailerBytes = 32;
constexpr std::size_t kBlockBytes = std::size_t{64} * 1024;
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kMostHeadBytes = std::size_t{1} << 20;
constexpr std::size_t kMostFields = 10'000;
constexpr std::uint64_t kMostBodyBytes = std::uint64_t{1} << 46;

/// Where what lies in a file, and what its checksums are seeded with.
struct Layout {
    std::uint64_t file_id = 0;
    std::uint64_t body_at = 0;  ///< preamble, head and room
    std::uint64_t body_bytes = 0;
    std::int64_t begun_at = 0;  ///< a Moment: what was purged since then does not count

    [[nodiscard]] std::uint64_t blocks() const noexcept {
        return (body_bytes + kBlockBytes - 1) / kBlockBytes;
    }
    [[nodiscard]] std::uint64_t block_at(std::uint64_t number) const noexcept {
        return body_at + number * (kBlockBytes + kCheckBytes);
    }
    [[nodiscard]] std::size_t block_bytes(std::uint64_t number) const noexcept {
        const std::uint64_t left = body_bytes - number * kBlockBytes;
        return left < kBlockBytes ? static_cast<std::size_t>(left) : kBlockBytes;
    }
    [[nodiscard]] std::uint64_t trailer_at() const noexcept {
        return body_at + body_bytes + blocks() * kCheckBytes;
    }
    [[nodiscard]] std::uint64_t file_bytes() const noexcept { return trailer_at() + kTrailerBytes; }
};

/// Room for a head like this one and for what a 304 may add to it.
[[nodiscard]] std::uint64_t body_place(std::size_t head_bytes) noexcept;
/// The head alone, as it is stored.
[[nodiscard]] std::string encode_head(const StoredHead& head);
/// Preamble and head, filled up to layout.body_at; empty when that is too small or the head too
/// large.
[[nodiscard]] std::string encode_front(const StoredHead& head, const Layout& layout);
[[nodiscard]] std::string encode_trailer(const Layout& layout);

/// The first checks, on the preamble alone: ours, this version, sizes that can be.
struct Preamble {
    Layout layout;
    std::size_t head_bytes = 0;
    std::uint64_t checksum = 0;
};
[[nodiscard]] std::optional<Preamble> decode_preamble(std::string_view bytes);
/// `front` holds preamble and head at least. Null: broken.
[[nodiscard]] HeadPtr decode_head(const Preamble& preamble, std::string_view front);
/// What encode_head() made; the body's size is not in it. Null: it cannot be that.
[[nodiscard]] boost::intrusive_ptr<StoredHead> decode_encoded(std::string_view encoded);
[[nodiscard]] bool trailer_fits(const Layout& layout, std::string_view trailer) noexcept;

[[nodiscard]] std::uint64_t block_checksum(const Layout& layout, std::uint64_t number,
                                           std::string_view block) noexcept;
void put_u64(char* to, std::uint64_t value) noexcept;
[[nodiscard]] std::uint64_t get_u64(const char* from) noexcept;
[[nodiscard]] std::uint64_t block_seed(std::uint64_t file_id, std::uint64_t number) noexcept;

}  // namespace proxyd::cache::disk
