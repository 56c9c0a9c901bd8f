#pragma once

#include <cstdint>
#include <vector>

#include "candidates.hpp"

namespace proxyd::upstream {

/// Bounded loads: no peer gets more than `bound` percent of what the weights give it of the
/// requests in flight at this moment. 0: no bound.
class FairShare {
  public:
    FairShare(const Candidates& candidates, const std::vector<std::uint16_t>& members,
              unsigned bound) noexcept;
    /// Whether one more request would be within the bound.
    [[nodiscard]] bool allows(const Candidates& candidates, std::size_t index) const noexcept;

  private:
    unsigned bound_;
    std::uint64_t requests_ = 1;  ///< with the one that is being placed
    std::uint64_t weights_ = 0;
};

}  // namespace proxyd::upstream
