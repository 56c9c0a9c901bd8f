#include "proxyd/base/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace proxyd {
namespace {

constexpr std::size_t kBlock = 4096;

struct Block {
    std::array<std::byte, kBlock> bytes;
    std::size_t used = kBlock;
};

thread_local Block block;

void refill(Block& to) noexcept {
    for (std::size_t filled = 0; filled < kBlock;) {
        const ssize_t got = getrandom(to.bytes.data() + filled, kBlock - filled, 0);
        if (got < 0 && errno != EINTR) std::abort();
        if (got > 0) filled += static_cast<std::size_t>(got);
    }
    to.used = 0;
}

}  // namespace

void random_bytes(std::span<std::byte> out) noexcept {
    Block& from = block;
    while (!out.empty()) {
        if (from.used == kBlock) refill(from);
        const std::size_t part = std::min(out.size(), kBlock - from.used);
        std::memcpy(out.data(), from.bytes.data() + from.used, part);
        std::memset(from.bytes.data() + from.used, 0, part);  // never given out twice
        from.used += part;
        out = out.subspan(part);
    }
}

std::uint64_t random_number() noexcept {
    std::uint64_t number = 0;
    random_bytes(std::as_writable_bytes(std::span(&number, 1)));
    return number;
}

RandomId random_id() noexcept {
    constexpr char kDigits[] = "0123456789abcdef";
    std::array<std::byte, 16> bytes;
    random_bytes(bytes);
    RandomId id;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = std::to_integer<unsigned>(bytes[i]);
        id[i * 2] = kDigits[byte >> 4];
        id[i * 2 + 1] = kDigits[byte & 15];
    }
    return id;
}

}  // namespace proxyd
