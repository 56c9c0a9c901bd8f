#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd {

/// 64 well-mixed bits of a text (FNV-1a, finished as MurmurHash3 does). The same in every process
/// and on every machine: what clients are told apart by must outlive a restart. Not for tables that
/// a client can fill, and no secret.
[[nodiscard]] constexpr std::uint64_t stable_hash(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccd;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53;
    hash ^= hash >> 33;
    return hash;
}

}  // namespace proxyd
