#pragma once

#include "balancer.hpp"
#include "turns.hpp"

namespace proxyd::upstream {

/// nginx's smooth weighted round robin: 3:1:1 gives 1 2 1 3 1.
class RoundRobin final : public Balancer {
  public:
    explicit RoundRobin(Turns turns) : turns_(std::move(turns)) {}
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override {
        return turns_.pick(candidates);
    }

  private:
    const Turns turns_;
};

}  // namespace proxyd::upstream
