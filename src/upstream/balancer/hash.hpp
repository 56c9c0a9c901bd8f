#pragma once

#include "balancer.hpp"
#include "turns.hpp"
#include "weighted_list.hpp"

namespace proxyd::upstream {

/// nginx's `hash KEY`: crc32 of the key over the weights; a peer that cannot be had makes it hash
/// on, at most 20 times. Without a key it is round robin.
class Hash final : public Balancer {
  public:
    Hash(unsigned bound, WeightedList list, Turns turns)
        : bound_(bound), list_(std::move(list)), turns_(std::move(turns)) {}
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override;

  private:
    const unsigned bound_;
    const WeightedList list_;
    const Turns turns_;
};

}  // namespace proxyd::upstream
