#pragma once

#include "balancer.hpp"
#include "turns.hpp"
#include "weighted_list.hpp"

namespace proxyd::upstream {

/// nginx's ip_hash: the network of the client decides. Peers that are down keep their place, so
/// that the other clients stay where they are; what cannot be had is hashed on, and after 20 tries
/// it is the smooth sequence's turn.
class IpHash final : public Balancer {
  public:
    IpHash(const config::IpHash& settings, WeightedList list, Turns turns)
        : settings_(settings), list_(std::move(list)), turns_(std::move(turns)) {}
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override;

  private:
    const config::IpHash settings_;
    const WeightedList list_;
    const Turns turns_;
};

}  // namespace proxyd::upstream
