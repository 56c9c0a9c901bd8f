#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace proxyd::cache {

/// 128 bits of a key's text (XXH3): the name of an entry, in memory and on disk, the same in every
/// process. Two texts can share it when somebody wants them to, so whoever finds an entry by its
/// Key compares the text too.
struct Key {
    std::uint64_t high = 0, low = 0;
    friend constexpr auto operator<=>(const Key&, const Key&) = default;
};
[[nodiscard]] Key key_of(std::string_view text) noexcept;

/// 32 lower-case hexadecimal digits, `high` first.
using KeyText = std::array<char, 32>;
[[nodiscard]] KeyText hex(const Key& key) noexcept;
[[nodiscard]] inline std::string_view view(const KeyText& text) noexcept {
    return {text.data(), text.size()};
}

/// What a request is stored under where the operator gave no `key`: its URL, the host in lower
/// case, the target as the client spelled it (the upstream may see a difference). HEAD shares
/// GET's.
void append_url(std::string& out, std::string_view scheme, std::string_view authority,
                std::string_view target);

}  // namespace proxyd::cache
