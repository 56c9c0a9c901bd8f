#include "proxyd/upstream/group.hpp"

#include "proxyd/base/log.hpp"
#include "proxyd/net/endpoint.hpp"
#include "proxyd/upstream/smooth_order.hpp"

namespace proxyd::upstream {
namespace {

std::vector<net::Endpoint> endpoints_of(const config::Address& address, const AddressBook& book) {
    switch (address.kind) {
        case config::Address::Kind::ip:
            return {net::Endpoint::tcp(address.ip, address.port)};
        case config::Address::Kind::unix_socket:
            if (auto endpoint = net::Endpoint::unix_path(address.name)) return {*endpoint};
            return {};
        case config::Address::Kind::name:
            return book.endpoints(address.name, address.port);
    }
    return {};
}

/// The smooth order over the peers that `wanted` selects, as indices into `peers`.
template <class Wanted>
std::vector<std::uint16_t> order_of(const std::vector<Peer>& peers, Wanted wanted) {
    std::vector<std::uint16_t> members;
    std::vector<unsigned> weights;
    for (std::size_t i = 0; i < peers.size(); ++i) {
        if (!wanted(peers[i])) continue;
        members.push_back(static_cast<std::uint16_t>(i));
        weights.push_back(peers[i].weight);
    }
    std::vector<std::uint16_t> order = smooth_order(weights);
    for (std::uint16_t& entry : order) entry = members[entry];
    return order;
}

}  // namespace

std::shared_ptr<const Group> Group::make(std::shared_ptr<const config::Upstream> settings,
                                         StateRegistry& registry) {
    auto group = std::make_shared<Group>();
    group->settings_ = std::move(settings);
    const std::string& name = group->settings_->name;
    group->state_ = registry.group(name);
    for (const config::Server& server : group->settings_->servers) {
        for (const auto& endpoint : endpoints_of(server.address, registry.addresses())) {
            Peer peer;
            peer.address = endpoint.text();
            peer.endpoint = std::make_shared<const net::Endpoint>(endpoint);
            peer.state = registry.peer(name, peer.address);
            peer.weight = server.weight;
            peer.max_fails = server.max_fails;
            peer.fail_timeout = server.fail_timeout.count();
            peer.backup = server.backup;
            peer.down = server.down;
            peer.tls = group->settings_->tls.used_for(server);
            if (server.address.kind == config::Address::Kind::name) peer.host = server.address.name;
            group->peers_.push_back(std::move(peer));
            group->usable_ += server.down ? 0 : 1;
        }
    }
    group->primaries_ = order_of(
        group->peers_, [](const Peer& peer) { return !peer.down && !peer.backup; });
    group->backups_ =
        order_of(group->peers_, [](const Peer& peer) { return !peer.down && peer.backup; });
    return group;
}

int Group::pick_from(const std::vector<std::uint16_t>& order, std::atomic<std::uint64_t>& sequence,
                     const PeerSet& tried, std::int64_t now) const noexcept {
    if (order.empty()) return -1;
    const std::uint64_t turn = sequence.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t step = 0; step < order.size(); ++step) {
        const std::uint16_t index = order[(turn + step) % order.size()];
        if (tried.contains(index)) continue;
        const Peer& peer = peers_[index];
        if (!peer.state->in_service()) continue;
        if (usable_ == 1 || peer.state->admit(now, peer.fail_timeout)) return index;
    }
    return -1;
}

int Group::pick(const PickRequest& request) const noexcept {
    const int primary = pick_from(primaries_, state_->sequence, request.tried, request.now);
    if (primary >= 0) return primary;
    return pick_from(backups_, state_->backup_sequence, request.tried, request.now);
}

void Group::report_failure(const Peer& peer, std::int64_t now, Reason why) const {
    // A lone server is never taken out: there is nobody else to ask.
    const unsigned max_fails = usable_ == 1 ? 0 : peer.max_fails;
    if (!peer.state->failed(now, max_fails, peer.fail_timeout, why)) return;
    log::warn("upstream '{}': {} is taken out for {} ms after {} failures ({})", settings_->name,
              peer.address, peer.fail_timeout, peer.max_fails, word(why));
}

void Group::report_success(const Peer& peer) const noexcept { peer.state->succeeded(); }

}  // namespace proxyd::upstream
