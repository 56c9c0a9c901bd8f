#include "least_conn.hpp"

namespace proxyd::upstream {
namespace {

constexpr int kTries = 16;
/// For slow start; any series does, so it need not be shared.
thread_local std::uint64_t ticket = 0;

}  // namespace

int LeastConn::find(const Candidates& candidates) const noexcept {
    int best = -1;
    bool several = false;
    Load least;
    ++ticket;
    for (const std::uint16_t member : turns_.members()) {
        if (!candidates.fit(member) || !candidates.ripe(member, ticket)) continue;
        const Load load = candidates.load(member);
        if (best < 0 || load < least) {
            best = member;
            least = load;
            several = false;
        } else if (!(least < load)) {
            several = true;
        }
    }
    if (!several) return best;
    const int next = turns_.next(candidates, [&](std::uint16_t member) {
        return candidates.fit(member) && !(least < candidates.load(member));
    });
    return next >= 0 ? next : best;  // all of them got something in between
}

int LeastConn::pick(Candidates& candidates) const noexcept {
    for (int tries = 0; tries < kTries; ++tries) {
        const int index = find(candidates);
        if (index < 0) break;
        if (candidates.take(static_cast<std::size_t>(index))) return index;
    }
    return turns_.pick(candidates);  // nobody, or only those in slow start
}

}  // namespace proxyd::upstream
