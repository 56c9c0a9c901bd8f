#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "candidates.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::upstream {

/// A way to choose among the primaries of a group, or among its backups. Immutable, shared by the
/// workers; what it remembers is the sequence number of the group's state.
class Balancer {
  public:
    virtual ~Balancer() = default;
    /// Takes a place at one of its members; -1: none of them may take the request.
    [[nodiscard]] virtual int pick(Candidates& candidates) const noexcept = 0;
};

/// For the members of `peers` that are backups, or that are none.
[[nodiscard]] std::unique_ptr<const Balancer> make_balancer(const config::Upstream& settings,
                                                            std::span<const Peer> peers,
                                                            bool backups,
                                                            std::atomic<std::uint64_t>& sequence);

}  // namespace proxyd::upstream
