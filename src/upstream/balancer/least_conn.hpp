#pragma once

#include "balancer.hpp"
#include "turns.hpp"

namespace proxyd::upstream {

/// The fewest requests in flight for the weight, over all workers; equals take the turns of the
/// smooth sequence, so that an idle group is served in round robin.
class LeastConn final : public Balancer {
  public:
    explicit LeastConn(Turns turns) : turns_(std::move(turns)) {}
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override;

  private:
    [[nodiscard]] int find(const Candidates& candidates) const noexcept;

    const Turns turns_;
};

}  // namespace proxyd::upstream
