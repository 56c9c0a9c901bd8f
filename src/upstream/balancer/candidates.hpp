#pragma once

#include <span>

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

/// Requests in flight for the weight of a peer; compared without division.
struct Load {
    std::uint64_t in_flight = 0;
    std::uint64_t weight = 1;
    friend bool operator<(const Load& a, const Load& b) noexcept {
        return a.in_flight * b.weight < b.in_flight * a.weight;
    }
};

/// One choice in progress: which peers may take the request now, and the place that is taken at
/// one of them. On the stack of Group::pick(). Inline, because balancers ask it about every peer.
class Candidates {
  public:
    /// `alone`: failures take nobody out, there is nobody else to ask.
    Candidates(std::span<const Peer> peers, const PickRequest& request, bool alone) noexcept
        : peers_(peers), request_(request), alone_(alone) {}

    /// Whether the peer may take the request: not tried yet, in service, below max_conns.
    [[nodiscard]] bool fit(std::size_t index) const noexcept {
        return open(index) && has_room(peers_[index]);
    }
    /// Whether max_conns alone keeps the request away.
    [[nodiscard]] bool full(std::size_t index) const noexcept {
        return open(index) && !has_room(peers_[index]);
    }
    /// As fit(), for a client that belongs to the peer: also while it drains.
    [[nodiscard]] bool fit_for_its_client(std::size_t index) const noexcept;
    /// Whether slow start lets the peer have the turn `ticket`: any series of numbers does, equal
    /// numbers get equal verdicts.
    [[nodiscard]] bool ripe(std::size_t index, std::uint64_t ticket) const noexcept {
        return peers_[index].slow_start == 0 || ripe_by_share(peers_[index], ticket);
    }
    [[nodiscard]] Load load(std::size_t index) const noexcept {
        const Peer& peer = peers_[index];
        const unsigned part = peer.slow_start == 0 ? SlowStart::kFull : share(peer);
        return {peer.state->in_flight.load(std::memory_order_relaxed),
                std::uint64_t{peer.weight} * part};
    }
    /// Takes a place there; false when others were faster.
    [[nodiscard]] bool take(std::size_t index) noexcept;

    [[nodiscard]] const PickRequest& request() const noexcept { return request_; }
    [[nodiscard]] const Peer& peer(std::size_t index) const noexcept { return peers_[index]; }

  private:
    /// All but max_conns.
    [[nodiscard]] bool open(std::size_t index) const noexcept {
        const Peer& peer = peers_[index];
        if (peer.down || request_.tried.contains(index)) return false;
        if (peer.state->in_service() && sound(peer)) return true;
        if (peer.slow_start != 0) peer.state->slow_start.out();
        return false;
    }
    [[nodiscard]] bool sound(const Peer& peer) const noexcept {
        return !peer.state->failed_at(request_.now) || alone_;
    }
    [[nodiscard]] static bool has_room(const Peer& peer) noexcept {
        return peer.max_conns == 0 || peer.state->in_flight.load() < peer.max_conns;
    }
    [[nodiscard]] bool ripe_by_share(const Peer& peer, std::uint64_t ticket) const noexcept;
    [[nodiscard]] unsigned share(const Peer& peer) const noexcept;

    std::span<const Peer> peers_;
    const PickRequest& request_;
    const bool alone_;
};

}  // namespace proxyd::upstream
