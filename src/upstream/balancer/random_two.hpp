#pragma once

#include "balancer.hpp"
#include "proxyd/base/random.hpp"
#include "turns.hpp"
#include "weighted_list.hpp"

namespace proxyd::upstream {

/// nginx's `random two least_conn`: of two different peers, drawn by weight, the one with fewer
/// requests in flight for its weight. After 20 tries it is the smooth sequence's turn.
class RandomTwo final : public Balancer {
  public:
    using Random = std::uint64_t (*)() noexcept;
    /// `random`: a seam for tests.
    RandomTwo(WeightedList list, Turns turns, Random random = random_number)
        : list_(std::move(list)), turns_(std::move(turns)), random_(random) {}
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override;

  private:
    const WeightedList list_;
    const Turns turns_;
    const Random random_;
};

}  // namespace proxyd::upstream
