#include "peer_orders.hpp"

#include <algorithm>

#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

struct Meaning {
    upstream::Admin admin;
    std::string_view text;
};

Meaning meaning_of(PeerOrder order) {
    switch (order) {
        case PeerOrder::drain:
            return {upstream::Admin::drain, "drains"};
        case PeerOrder::down:
            return {upstream::Admin::down, "is down"};
        case PeerOrder::up:
            break;
    }
    return {upstream::Admin::up, "is up"};
}

/// A number alone is a port of this machine, as in the configuration.
bool is_called(const upstream::Peer& peer, const std::string& name) {
    if (name.empty() || peer.address == name || peer.server == name) return true;
    const bool port = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    return port && peer.address == "127.0.0.1:" + name;
}

}  // namespace

std::vector<std::string> give_order(const proxy::Generation& generation,
                                    const std::string& upstream, const std::string& server,
                                    PeerOrder order) {
    std::vector<std::string> reached;
    const auto group = generation.groups().find(upstream);
    if (group == generation.groups().end()) return reached;
    const Meaning meaning = meaning_of(order);
    for (const upstream::Peer& peer : group->second->peers()) {
        if (!is_called(peer, server)) continue;
        peer.state->order(meaning.admin);
        log::info("upstream '{}': {} {} by order", upstream, peer.address, meaning.text);
        reached.push_back(peer.address);
    }
    return reached;
}

}  // namespace proxyd::server
