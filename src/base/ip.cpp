#include "proxyd/base/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace proxyd {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<int> parse_prefix(std::string_view digits, int max) noexcept {
    if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (value > static_cast<unsigned>(max)) return std::nullopt;
    return static_cast<int>(value);
}

/// Whether the first `bits` bits agree.
bool same_prefix(const std::uint8_t* a, const std::uint8_t* b, int bits) noexcept {
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (std::memcmp(a, b, whole) != 0) return false;
    const int rest = bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer || text.find('\0') != text.npos) {
        return std::nullopt;
    }
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    if (text.find(':') == std::string_view::npos) {
        std::array<std::uint8_t, 4> bytes;
        if (inet_pton(AF_INET, buffer, bytes.data()) != 1) return std::nullopt;
        return v4(bytes);
    }
    std::array<std::uint8_t, 16> bytes;
    if (inet_pton(AF_INET6, buffer, bytes.data()) != 1) return std::nullopt;
    return v6(bytes);
}

IpAddress IpAddress::v4(const std::array<std::uint8_t, 4>& bytes) noexcept {
    IpAddress address;
    std::ranges::copy(bytes, address.bytes_.begin());
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) noexcept {
    IpAddress address;
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
        std::copy(bytes.begin() + 12, bytes.end(), address.bytes_.begin());
        return address;
    }
    address.bytes_ = bytes;
    address.v6_ = true;
    return address;
}

bool IpAddress::is_loopback() const noexcept {
    if (!v6_) return bytes_[0] == 127;
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) &&
           bytes_.back() == 1;
}

std::string IpAddress::text() const {
    char buffer[INET6_ADDRSTRLEN];
    return inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), buffer, sizeof buffer);
}

std::optional<Cidr> Cidr::parse(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const bool written_as_v6 = text.substr(0, slash).find(':') != std::string_view::npos;
    const bool mapped = written_as_v6 && !address->is_v6();

    Cidr network;
    network.base_ = *address;
    network.prefix_ = address->is_v6() ? 128 : 32;
    if (slash == std::string_view::npos) return network;
    const auto prefix = parse_prefix(text.substr(slash + 1), written_as_v6 ? 128 : 32);
    if (!prefix || (mapped && *prefix < 96)) return std::nullopt;
    network.prefix_ = mapped ? *prefix - 96 : *prefix;
    return network;
}

bool Cidr::contains(const IpAddress& address) const noexcept {
    return address.is_v6() == base_.is_v6() &&
           same_prefix(address.bytes().data(), base_.bytes().data(), prefix_);
}

std::string Cidr::text() const {
    const bool single = prefix_ == (base_.is_v6() ? 128 : 32);
    return single ? base_.text() : base_.text() + "/" + std::to_string(prefix_);
}

}  // namespace proxyd
