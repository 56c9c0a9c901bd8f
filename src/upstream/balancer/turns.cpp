#include "turns.hpp"

#include "proxyd/upstream/smooth_order.hpp"

namespace proxyd::upstream {
namespace {

/// How often others may be faster before the request is told that there is no place.
constexpr int kTries = 16;

std::vector<std::uint16_t> order_of(std::span<const Peer> peers,
                                    const std::vector<std::uint16_t>& members) {
    std::vector<unsigned> weights;
    for (const std::uint16_t member : members) weights.push_back(peers[member].weight);
    std::vector<std::uint16_t> order = smooth_order(weights);
    for (std::uint16_t& entry : order) entry = members[entry];
    return order;
}

}  // namespace

Turns::Turns(std::span<const Peer> peers, std::vector<std::uint16_t> members,
             std::atomic<std::uint64_t>& sequence)
    : members_(std::move(members)), order_(order_of(peers, members_)), sequence_(sequence) {}

int Turns::pick(Candidates& candidates) const noexcept {
    for (int tries = 0; tries < kTries; ++tries) {
        const int index =
            next(candidates, [&](std::uint16_t member) { return candidates.fit(member); });
        if (index < 0 || candidates.take(static_cast<std::size_t>(index))) return index;
    }
    return -1;
}

}  // namespace proxyd::upstream
