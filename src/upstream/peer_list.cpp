#include "upstream/peer_list.hpp"

#include <algorithm>

#include "proxyd/net/endpoint.hpp"

namespace proxyd::upstream {
namespace {

using Kind = config::Address::Kind;

constexpr std::uint64_t kLargestWeight = 65'535;

/// An address with what an SRV record says of it.
struct Place {
    net::Endpoint endpoint;
    std::uint64_t weight = 1;
    bool backup = false;
    std::string host{};  ///< whose address it is; empty where it was given as one
};

std::vector<Place> places_of_name(const config::Address& address, const AddressBook& book) {
    const bool srv = address.kind == Kind::srv;
    const auto targets = book.targets({address.name, srv});
    std::vector<Place> places;
    for (const net::Target& target : targets) {
        const auto endpoint = srv ? target.endpoint : target.endpoint.with_port(address.port);
        const bool backup = target.priority != targets.front().priority;
        places.push_back({endpoint, target.weight, backup, target.host});
    }
    return places;
}

std::vector<Place> places_of(const config::Address& address, const AddressBook& book) {
    switch (address.kind) {
        case Kind::ip:
            return {Place{net::Endpoint::tcp(address.ip, address.port)}};
        case Kind::unix_socket:
            if (auto endpoint = net::Endpoint::unix_path(address.name)) return {Place{*endpoint}};
            return {};
        case Kind::name:
        case Kind::srv:
            return places_of_name(address, book);
    }
    return {};
}

Peer make_peer(const config::Server& server, const Place& place, const config::Upstream& upstream,
               StateRegistry& registry) {
    Peer peer;
    peer.address = place.endpoint.text();
    peer.server = server.address.text;
    peer.endpoint = std::make_shared<const net::Endpoint>(place.endpoint);
    peer.state = registry.peer(upstream.name, peer.address);
    peer.max_fails = server.max_fails;
    peer.fail_timeout = server.fail_timeout.count();
    peer.max_conns = server.max_conns;
    peer.slow_start = server.slow_start.count();
    peer.backup = server.backup || place.backup;
    peer.down = server.down;
    peer.tls = upstream.tls.used_for(server);
    peer.host = place.host;
    return peer;
}

/// The shares stay as they are to each other when one is larger than a weight can be.
void set_weights(std::vector<Peer>& peers, const std::vector<std::uint64_t>& weights) {
    if (peers.empty()) return;
    const std::uint64_t largest = *std::max_element(weights.begin(), weights.end());
    for (std::size_t i = 0; i < peers.size(); ++i) {
        const bool fits = largest <= kLargestWeight;
        const std::uint64_t weight = fits ? weights[i] : weights[i] * kLargestWeight / largest;
        peers[i].weight = static_cast<unsigned>(std::max<std::uint64_t>(weight, 1));
    }
}

}  // namespace

std::vector<Peer> make_peers(const config::Upstream& settings, StateRegistry& registry) {
    std::vector<Peer> peers;
    std::vector<std::uint64_t> weights;
    for (const config::Server& server : settings.servers) {
        for (const Place& place : places_of(server.address, registry.addresses())) {
            peers.push_back(make_peer(server, place, settings, registry));
            weights.push_back(server.weight * place.weight);
        }
    }
    set_weights(peers, weights);
    return peers;
}

}  // namespace proxyd::upstream
