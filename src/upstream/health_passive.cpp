#include "health_passive.hpp"

#include <algorithm>

#include "proxyd/base/log.hpp"

namespace proxyd::upstream {
namespace {

/// How many may rest at one time: the share, but one where there are two to choose from.
std::size_t ceiling(const Group& group) {
    const unsigned percent = group.settings().max_ejected;
    if (percent == 0) return 0;
    return std::max<std::size_t>(1, group.usable() * percent / 100);
}

/// Looked at after the peer was taken out, so that two workers can't both take the last place.
bool too_many_rest(const Group& group, std::int64_t now) {
    std::size_t resting = 0;
    bool one_left = false;
    for (const Peer& peer : group.peers()) {
        if (peer.down) continue;
        const bool rests = peer.state->failed_at(now);
        resting += rests ? 1 : 0;
        one_left = one_left || (!rests && peer.state->in_service());
    }
    return !one_left || resting > ceiling(group);
}

/// A group in trouble has many failures; one line for each rest that is not taken is enough.
void tell_ceiling(const Group& group, const Peer& peer, std::int64_t now, Reason why) {
    std::int64_t told = group.state().ceiling_told.load(std::memory_order_relaxed);
    if (told != 0 && now - told < peer.fail_timeout) return;
    if (!group.state().ceiling_told.compare_exchange_strong(told, now)) return;
    log::warn(
        "upstream '{}': {} stays in use after {} failures ({}): max_ejected allows no more "
        "to rest",
        group.settings().name, peer.address, peer.max_fails, word(why));
}

}  // namespace

void note_failure(const Group& group, const Peer& peer, std::int64_t now, Reason why) {
    // A lone server is never taken out: there is nobody else to ask.
    const unsigned max_fails = group.usable() == 1 ? 0 : peer.max_fails;
    const bool news = peer.state->failed(now, max_fails, peer.fail_timeout, why);
    if (max_fails == 0 || !peer.state->failed_at(now)) return;
    if (too_many_rest(group, now)) {
        peer.state->end_rest();
        return tell_ceiling(group, peer, now, why);
    }
    if (!news) return;
    peer.state->slow_start.out();
    log::warn("upstream '{}': {} is taken out for {} ms after {} failures ({})",
              group.settings().name, peer.address, peer.fail_timeout, peer.max_fails, word(why));
}

bool out_of_service(const Group& group) noexcept {
    const auto& peers = group.peers();
    return group.usable() != 0 && std::ranges::none_of(peers, [](const Peer& peer) {
               return !peer.down && peer.state->in_service();
           });
}

}  // namespace proxyd::upstream
