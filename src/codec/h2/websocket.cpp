#include "websocket.hpp"

#include <array>
#include <boost/uuid/detail/sha1.hpp>
#include <cstddef>
#include <span>

#include "proxyd/base/random.hpp"

namespace proxyd::codec::h2 {
namespace {

std::string base64(std::span<const std::byte> bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        unsigned group = 0;
        const std::size_t here = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i) {
            group = group << 8 | (i < here ? std::to_integer<unsigned>(bytes[at + i]) : 0);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text.push_back(i <= here ? kDigits[group >> (18 - 6 * i) & 63] : '=');
        }
    }
    return text;
}

}  // namespace

std::string make_websocket_key() {
    std::array<std::byte, 16> bytes{};
    random_bytes(bytes);
    return base64(bytes);
}

std::string websocket_accept(std::string_view key) {
    constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(key.data(), key.size());
    hash.process_bytes(kMagic.data(), kMagic.size());
    boost::uuids::detail::sha1::digest_type words{};
    hash.get_digest(words);
    std::array<std::byte, 20> digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)));
    }
    return base64(digest);
}

}  // namespace proxyd::codec::h2
