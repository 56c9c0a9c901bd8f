#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace proxyd::upstream {

/// One period of nginx's smooth weighted round robin (semantics: each pick adds the weight to a
/// peer's current value, takes the largest, first listed on ties, and subtracts the total):
/// 3:1:1 gives 0 1 0 2 0. Weights are divided by their common divisor; a period is at most 16,384
/// picks long (larger weights are scaled down, no peer below 1).
[[nodiscard]] std::vector<std::uint16_t> smooth_order(std::span<const unsigned> weights);

}  // namespace proxyd::upstream
