#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace proxyd {

/// Random bytes of the kernel, taken in blocks for each thread: one system call for 256 ids. Fit
/// for ids and tokens. Any thread; a kernel without getrandom ends the process.
void random_bytes(std::span<std::byte> out) noexcept;
/// 64 of these bits.
[[nodiscard]] std::uint64_t random_number() noexcept;

/// 16 random bytes as 32 hexadecimal digits ($request_id, X-Request-ID).
using RandomId = std::array<char, 32>;
[[nodiscard]] RandomId random_id() noexcept;
[[nodiscard]] inline std::string_view view(const RandomId& id) noexcept {
    return {id.data(), id.size()};
}

}  // namespace proxyd
