#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace proxyd::http {

enum : std::uint8_t { kUnreserved = 1, kPathByte = 2, kHostByte = 4 };

/// RFC 3986: unreserved (2.3), pchar or '/' (3.3), reg-name (3.2.2).
inline constexpr std::array<std::uint8_t, 256> kClasses = [] {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&](std::string_view bytes, unsigned classes) {
        for (const char c : bytes) table[static_cast<unsigned char>(c)] |= classes;
    };
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
         kUnreserved | kPathByte | kHostByte);
    mark("!$&'()*+,;=", kPathByte | kHostByte);
    mark(":@/", kPathByte);
    return table;
}();

constexpr bool is(char c, std::uint8_t wanted) noexcept {
    return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The byte of the escape that starts at `at`, or -1.
constexpr int escaped_byte(std::string_view text, std::size_t at) noexcept {
    if (at + 2 >= text.size()) return -1;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace proxyd::http
