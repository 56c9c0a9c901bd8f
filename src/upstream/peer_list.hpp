#pragma once

#include <vector>

#include "proxyd/config/model.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

/// The servers of an upstream as peers, in the order of the file: one for each address of a name
/// that the registry's book has. SRV: the lowest priority are the primaries, the others backups,
/// and the weights multiply. A name without addresses has no peers.
[[nodiscard]] std::vector<Peer> make_peers(const config::Upstream& settings,
                                           StateRegistry& registry);

}  // namespace proxyd::upstream
