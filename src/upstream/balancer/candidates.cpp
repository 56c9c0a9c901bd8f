#include "candidates.hpp"

namespace proxyd::upstream {
namespace {

/// The golden ratio as a fraction of 2^64: its multiples spread evenly over any series of turns.
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
constexpr int kShareBits = 10;
static_assert(1U << kShareBits == SlowStart::kFull);

}  // namespace

bool Candidates::fit_for_its_client(std::size_t index) const noexcept {
    if (index >= peers_.size()) return false;
    const Peer& peer = peers_[index];
    return !peer.down && !request_.tried.contains(index) &&
           peer.state->admin.load(std::memory_order_relaxed) != Admin::down &&
           !peer.state->unhealthy.load(std::memory_order_relaxed) && sound(peer) && has_room(peer);
}

unsigned Candidates::share(const Peer& peer) const noexcept {
    // On trial it has not come back yet.
    if (!peer.state->failed_at(0)) peer.state->slow_start.in(request_.now);
    return peer.state->slow_start.share(request_.now, peer.slow_start);
}

bool Candidates::ripe_by_share(const Peer& peer, std::uint64_t ticket) const noexcept {
    const unsigned part = share(peer);
    return part == SlowStart::kFull || (ticket * kGolden) >> (64 - kShareBits) < part;
}

bool Candidates::take(std::size_t index) noexcept {
    const Peer& peer = peers_[index];
    if (!peer.state->enter(peer.max_conns)) return false;
    if (alone_ || peer.state->admit(request_.now, peer.fail_timeout)) return true;
    peer.state->leave();
    return false;
}

}  // namespace proxyd::upstream
