#include "proxyd/upstream/health_checker.hpp"

#include "peer_check.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

void append_checked_peers(const Group& group, std::vector<CheckedPeer>& peers) {
    const config::Upstream& settings = group.settings();
    if (!settings.health_check) return;
    for (const Peer& peer : group.peers()) {
        if (peer.down) continue;
        CheckedPeer checked;
        checked.upstream = settings.name;
        checked.address = peer.address;
        checked.host = peer.endpoint->is_unix() ? "localhost" : peer.server;
        checked.state = peer.state;
        checked.endpoint = peer.endpoint;
        checked.settings = settings.health_check;
        peers.push_back(std::move(checked));
    }
}

HealthChecker::HealthChecker(async::Loop& loop) : loop_(loop) {}
HealthChecker::~HealthChecker() = default;

void HealthChecker::watch(const std::vector<CheckedPeer>& peers) {
    auto before = std::exchange(checks_, {});
    for (const CheckedPeer& peer : peers) {
        auto& check = checks_[peer.state->id()];
        if (check) continue;  // a server that is listed twice
        const auto known = before.find(peer.state->id());
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
}

Task<void> HealthChecker::finish() {
    const auto all = std::exchange(checks_, {});
    for (const auto& [id, check] : all) check->retire();
    co_await running_.join();
}

}  // namespace proxyd::upstream
