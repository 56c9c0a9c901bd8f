#include "balancer.hpp"

#include "hash.hpp"
#include "ip_hash.hpp"
#include "ketama.hpp"
#include "least_conn.hpp"
#include "random_two.hpp"
#include "round_robin.hpp"

namespace proxyd::upstream {
namespace {

std::vector<std::uint16_t> members_of(std::span<const Peer> peers, bool backups, bool with_down) {
    std::vector<std::uint16_t> members;
    for (std::size_t i = 0; i < peers.size(); ++i) {
        if (peers[i].backup == backups && (with_down || !peers[i].down)) {
            members.push_back(static_cast<std::uint16_t>(i));
        }
    }
    return members;
}

}  // namespace

std::unique_ptr<const Balancer> make_balancer(const config::Upstream& settings,
                                              std::span<const Peer> peers, bool backups,
                                              std::atomic<std::uint64_t>& sequence) {
    using config::Balance;
    Turns turns(peers, members_of(peers, backups, false), sequence);
    // A server that is down keeps its part of the hash, or the others' clients would move.
    const auto hashed = [&] { return members_of(peers, backups, true); };
    const unsigned bound = settings.hash.bounded_load;
    switch (settings.balance) {
        case Balance::round_robin:
            break;
        case Balance::least_conn:
            return std::make_unique<LeastConn>(std::move(turns));
        case Balance::ip_hash:
            return std::make_unique<IpHash>(settings.ip_hash, WeightedList(peers, hashed()),
                                            std::move(turns));
        case Balance::hash:
            if (settings.hash.consistent) {
                return std::make_unique<Ketama>(bound, peers, Turns(peers, hashed(), sequence));
            }
            return std::make_unique<Hash>(bound, WeightedList(peers, hashed()), std::move(turns));
        case Balance::random_two: {
            WeightedList list(peers, turns.members());
            return std::make_unique<RandomTwo>(std::move(list), std::move(turns));
        }
    }
    return std::make_unique<RoundRobin>(std::move(turns));
}

}  // namespace proxyd::upstream
