#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxyd/config/model.hpp"

namespace proxyd::policy {

/// The shares of a `split`: every key falls into one of them, always into the same as long as the
/// weights stay. A share whose weight grows keeps the keys it had when it is the first or the last
/// one. Immutable, shared by threads.
class SplitShares {
  public:
    explicit SplitShares(const config::TrafficSplit& split);
    /// Index of the share.
    [[nodiscard]] std::size_t choose(std::string_view key) const noexcept;

  private:
    std::vector<std::uint64_t> ends_;  ///< sums of the weights up to and with each share
};

}  // namespace proxyd::policy
