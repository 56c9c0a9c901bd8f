#include "ip_hash.hpp"

#include <array>

namespace proxyd::upstream {
namespace {

constexpr int kTries = 20;

/// The bytes that are hashed: the network part, or three zeros for what has no address.
struct Network {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 3;
};

Network network_of(std::string_view client, const config::IpHash& settings) noexcept {
    Network network;
    const auto address = IpAddress::parse(client);
    if (!address) return network;
    const unsigned prefix = address->is_v6() ? settings.ipv6_prefix : settings.ipv4_prefix;
    network.size = (prefix + 7) / 8;
    std::ranges::copy_n(address->bytes().begin(), static_cast<std::ptrdiff_t>(network.size),
                        network.bytes.begin());
    if (prefix % 8 != 0) {
        network.bytes[network.size - 1] &= static_cast<std::uint8_t>(0xff00 >> (prefix % 8));
    }
    return network;
}

}  // namespace

int IpHash::pick(Candidates& candidates) const noexcept {
    if (list_.size() < 2) return turns_.pick(candidates);
    const Network network = network_of(candidates.request().client, settings_);
    std::uint64_t hash = 89;
    for (int tries = 0; tries < kTries; ++tries) {
        for (std::size_t i = 0; i < network.size; ++i) {
            hash = (hash * 113 + network.bytes[i]) % 6271;
        }
        const std::uint16_t index = list_.at(hash % list_.total());
        if (candidates.fit(index) && candidates.ripe(index, hash) && candidates.take(index)) {
            return index;
        }
    }
    return turns_.pick(candidates);
}

}  // namespace proxyd::upstream
