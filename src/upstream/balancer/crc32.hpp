#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace proxyd::upstream {

/// CRC-32 as in zlib and nginx (reflected polynomial 0xEDB88320), byte by byte.
class Crc32 {
  public:
    constexpr Crc32& add(std::string_view bytes) noexcept {
        for (const char byte : bytes) {
            value_ = kTable[(value_ ^ static_cast<std::uint8_t>(byte)) & 0xff] ^ (value_ >> 8);
        }
        return *this;
    }
    [[nodiscard]] constexpr std::uint32_t value() const noexcept { return ~value_; }

  private:
    static constexpr std::array<std::uint32_t, 256> kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
            }
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t value_ = 0xffffffff;
};

}  // namespace proxyd::upstream
