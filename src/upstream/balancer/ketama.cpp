#include "ketama.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "crc32.hpp"
#include "fair_share.hpp"

namespace proxyd::upstream {
namespace {

constexpr std::size_t kTries = 20;
constexpr unsigned kPointsPerWeight = 160;
/// Larger weights are scaled down, no server below 1: a ring is at most a few megabytes large.
constexpr std::uint64_t kMostWeight = 4096;

struct HostPort {
    std::string_view host, port;
};

/// "127.0.0.1:80" and "name:80" at the last colon, "unix:/path" without its sign.
HostPort split(std::string_view server) noexcept {
    if (server.starts_with("unix:")) return {server.substr(5), {}};
    const std::size_t colon = server.rfind(':');
    const bool port = colon != std::string_view::npos &&
                      server.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
    return port ? HostPort{server.substr(0, colon), server.substr(colon + 1)}
                : HostPort{server, {}};
}

/// Calls `each` with the hash of every point. nginx's bytes are those of a little-endian machine.
template <class Each>
void for_each_point(std::string_view server, std::uint64_t weight, Each each) {
    const HostPort parts = split(server);
    const Crc32 base = Crc32().add(parts.host).add(std::string_view("", 1)).add(parts.port);
    std::uint32_t previous = 0;
    for (std::uint64_t i = 0; i < weight * kPointsPerWeight; ++i) {
        char bytes[4];
        for (int byte = 0; byte < 4; ++byte) {
            bytes[byte] = static_cast<char>(previous >> (8 * byte) & 0xff);
        }
        previous = Crc32(base).add({bytes, sizeof bytes}).value();
        each(previous);
    }
}

}  // namespace

Ketama::Ketama(unsigned bound, std::span<const Peer> peers, Turns turns)
    : bound_(bound), turns_(std::move(turns)) {
    std::map<std::string_view, std::uint16_t> names;
    std::vector<std::uint64_t> weights;
    std::uint64_t total = 0;
    for (const std::uint16_t member : turns_.members()) {
        const Peer& peer = peers[member];
        const auto [name, fresh] =
            names.emplace(peer.server, static_cast<std::uint16_t>(servers_.size()));
        if (fresh) {
            servers_.emplace_back();
            weights.push_back(peer.weight);
            total += peer.weight;
        }
        servers_[name->second].push_back(member);
    }
    for (const auto& [name, server] : names) {
        std::uint64_t weight = weights[server];
        if (total > kMostWeight) {
            weight = std::max<std::uint64_t>(1, weight * kMostWeight / total);
        }
        for_each_point(name, weight, [&](std::uint32_t hash) {
            points_.push_back({hash, server});
        });
    }
    std::ranges::stable_sort(points_, {}, [](const Point& point) { return point.hash; });
    const auto twins = std::ranges::unique(points_, {}, [](const Point& p) { return p.hash; });
    points_.erase(twins.begin(), twins.end());
}

std::size_t Ketama::first_point(std::uint32_t hash) const noexcept {
    const auto point =
        std::ranges::lower_bound(points_, hash, {}, [](const Point& p) { return p.hash; });
    return static_cast<std::size_t>(point - points_.begin());
}

template <class Fits>
int Ketama::peer_of(const Candidates& candidates, std::uint16_t server, Fits fits) const noexcept {
    const std::vector<std::uint16_t>& peers = servers_[server];
    if (peers.size() == 1) return fits(peers.front()) ? peers.front() : -1;
    return turns_.next(candidates, [&](std::uint16_t member) {
        return std::ranges::find(peers, member) != peers.end() && fits(member);
    });
}

int Ketama::pick(Candidates& candidates) const noexcept {
    const std::string_view key = candidates.request().hash_key;
    if (servers_.size() < 2 || key.empty()) return turns_.pick(candidates);
    const std::uint32_t hash = Crc32().add(key).value();
    const FairShare share(candidates, turns_.members(), bound_);
    const auto fits = [&](std::uint16_t member) {
        return candidates.fit(member) && candidates.ripe(member, hash) &&
               share.allows(candidates, member);
    };
    const std::size_t first = first_point(hash);
    // A bound turns many away, but never all: the walk goes on until it finds one.
    const std::size_t tries = bound_ == 0 ? kTries : points_.size();
    for (std::size_t step = 0; step < tries; ++step) {
        const Point& point = points_[(first + step) % points_.size()];
        const int index = peer_of(candidates, point.server, fits);
        if (index >= 0 && candidates.take(static_cast<std::size_t>(index))) return index;
    }
    return turns_.pick(candidates);
}

}  // namespace proxyd::upstream
