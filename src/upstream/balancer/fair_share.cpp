#include "fair_share.hpp"

namespace proxyd::upstream {

FairShare::FairShare(const Candidates& candidates, const std::vector<std::uint16_t>& members,
                     unsigned bound) noexcept
    : bound_(bound) {
    if (bound_ == 0) return;
    for (const std::uint16_t member : members) {
        if (!candidates.fit(member)) continue;
        const Load load = candidates.load(member);
        requests_ += load.in_flight;
        weights_ += load.weight;
    }
}

bool FairShare::allows(const Candidates& candidates, std::size_t index) const noexcept {
    if (bound_ == 0) return true;
    // Rounded up, so that somebody is always below it.
    const Load load = candidates.load(index);
    const std::uint64_t divisor = weights_ * 100;
    const std::uint64_t most =
        divisor == 0 ? 1 : (requests_ * load.weight * bound_ + divisor - 1) / divisor;
    return load.in_flight < most;
}

}  // namespace proxyd::upstream
