#pragma once

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

/// What a failed attempt means for its peer: after max_fails of them it rests for fail_timeout,
/// unless max_ejected of the group rest already or it is the last one. Any worker.
void note_failure(const Group& group, const Peer& peer, std::int64_t now, Reason why);

/// Every server of the group was found unhealthy or taken out by an operator.
[[nodiscard]] bool out_of_service(const Group& group) noexcept;

}  // namespace proxyd::upstream
