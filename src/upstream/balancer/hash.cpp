#include "hash.hpp"

#include <charconv>

#include "crc32.hpp"
#include "fair_share.hpp"

namespace proxyd::upstream {
namespace {

constexpr unsigned kTries = 20;

/// Cache::Memcached's: the number of the try goes before the key, but for the first.
std::uint32_t part_of(unsigned rehash, std::string_view key) noexcept {
    Crc32 crc;
    if (rehash > 0) {
        char digits[8];
        const auto end = std::to_chars(digits, digits + sizeof digits, rehash).ptr;
        crc.add({digits, static_cast<std::size_t>(end - digits)});
    }
    return (crc.add(key).value() >> 16) & 0x7fff;
}

}  // namespace

int Hash::pick(Candidates& candidates) const noexcept {
    const std::string_view key = candidates.request().hash_key;
    if (list_.size() < 2 || key.empty()) return turns_.pick(candidates);
    const FairShare share(candidates, turns_.members(), bound_);
    std::uint64_t hash = 0;
    for (unsigned rehash = 0; rehash < kTries; ++rehash) {
        hash += part_of(rehash, key);
        const std::uint16_t index = list_.at(hash % list_.total());
        if (candidates.fit(index) && candidates.ripe(index, hash) &&
            share.allows(candidates, index) && candidates.take(index)) {
            return index;
        }
    }
    return turns_.pick(candidates);
}

}  // namespace proxyd::upstream
