#include "proxyd/policy/split.hpp"

#include <algorithm>

#include "proxyd/base/hash.hpp"

namespace proxyd::policy {

SplitShares::SplitShares(const config::TrafficSplit& split) {
    std::uint64_t sum = 0;
    for (const config::TrafficSplit::Share& share : split.shares)
        ends_.push_back(sum += share.weight);
}

std::size_t SplitShares::choose(std::string_view key) const noexcept {
    // 32 bits of the hash as a fraction of the sum: ranges that move little when a weight does.
    const std::uint64_t point = ((stable_hash(key) >> 32) * ends_.back()) >> 32;
    const auto end = std::ranges::upper_bound(ends_, point);
    return static_cast<std::size_t>(end - ends_.begin());
}

}  // namespace proxyd::policy
