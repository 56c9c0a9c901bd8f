#include "proxyd/upstream/health_checker.hpp"

#include "dial.hpp"
#include "peer_check.hpp"

namespace proxyd::upstream {

void append_checked_peers(const Group& group, std::vector<CheckedPeer>& peers) {
    const config::Upstream& settings = group.settings();
    if (!settings.health_check) return;
    for (const Peer& peer : group.peers()) {
        if (peer.down) continue;
        peers.push_back({peer, group.shared_settings()});
    }
}

HealthChecker::HealthChecker(async::Loop& loop)
    : loop_(loop), contexts_(std::make_unique<ClientContexts>()) {}
HealthChecker::~HealthChecker() = default;

void HealthChecker::watch(const std::vector<CheckedPeer>& peers) {
    auto before = std::exchange(checks_, {});
    for (const CheckedPeer& peer : peers) {
        const std::size_t id = peer.peer.state->id();
        auto& check = checks_[id];
        if (check) continue;  // a server that is listed twice
        const auto known = before.find(id);
        if (known != before.end() && known->second->same_as(peer)) {
            check = std::move(known->second);
            before.erase(known);
        } else {
            check = std::make_shared<PeerCheck>(*this, peer);
            check->start();
        }
    }
    for (const auto& [id, check] : before) {
        if (!checks_.contains(id)) check->state().set_unhealthy(false);
        check->retire();
    }
    contexts_->forget_unused();
}

Task<void> HealthChecker::finish() {
    const auto all = std::exchange(checks_, {});
    for (const auto& [id, check] : all) check->retire();
    co_await running_.join();
}

}  // namespace proxyd::upstream
