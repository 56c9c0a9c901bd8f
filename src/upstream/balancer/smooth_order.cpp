#include "proxyd/upstream/smooth_order.hpp"

#include <algorithm>
#include <numeric>

namespace proxyd::upstream {
namespace {

constexpr std::uint64_t kLongestPeriod = 16'384;

std::vector<std::int64_t> reduced(std::span<const unsigned> weights) {
    std::vector<std::int64_t> result(weights.begin(), weights.end());
    std::int64_t divisor = 0;
    for (const std::int64_t weight : result) divisor = std::gcd(divisor, weight);
    std::uint64_t total = 0;
    for (std::int64_t& weight : result) {
        weight /= std::max<std::int64_t>(divisor, 1);
        total += static_cast<std::uint64_t>(weight);
    }
    if (total > kLongestPeriod) {
        for (std::int64_t& weight : result) {
            weight = std::max<std::int64_t>(
                1, weight * static_cast<std::int64_t>(kLongestPeriod) /
                       static_cast<std::int64_t>(total));
        }
    }
    return result;
}

}  // namespace

std::vector<std::uint16_t> smooth_order(std::span<const unsigned> weights) {
    const std::vector<std::int64_t> weight = reduced(weights);
    const std::int64_t total = std::accumulate(weight.begin(), weight.end(), std::int64_t{0});
    std::vector<std::int64_t> current(weight.size(), 0);
    std::vector<std::uint16_t> order;
    order.reserve(static_cast<std::size_t>(total));
    for (std::int64_t turn = 0; turn < total; ++turn) {
        for (std::size_t i = 0; i < weight.size(); ++i) current[i] += weight[i];
        const auto best = std::ranges::max_element(current);
        *best -= total;
        order.push_back(static_cast<std::uint16_t>(best - current.begin()));
    }
    return order;
}

}  // namespace proxyd::upstream
