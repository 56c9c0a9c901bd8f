#include "status.hpp"

#include <utility>

namespace proxyd::server {
namespace {

PeerStatus peer_status(const upstream::Peer& peer, std::int64_t now) {
    PeerStatus status;
    const upstream::PeerState& state = *peer.state;
    status.address = peer.address;
    status.weight = peer.weight;
    status.backup = peer.backup;
    const bool failed = state.failed_at(now);
    status.state = peer.down ? "down" : failed ? "failed" : "up";
    if (failed) status.cause = word(state.last_failure());
    status.in_flight = state.in_flight.load(std::memory_order_relaxed);
    status.requests = state.requests.load(std::memory_order_relaxed);
    status.failures = state.failures.load(std::memory_order_relaxed);
    status.idle_connections = state.idle.load(std::memory_order_relaxed);
    return status;
}

/// Shared by the posts to the workers; each posts its numbers back to the control loop.
struct Collection {
    Status status;
    std::function<void(Status)> done;
    std::size_t missing = 0;
};

}  // namespace

std::vector<UpstreamStatus> upstream_status(const proxy::Generation& generation,
                                            std::int64_t now) {
    std::vector<UpstreamStatus> all;
    for (const auto& [name, group] : generation.groups()) {
        UpstreamStatus status;
        status.name = name;
        status.waiting = group->waiting().size();
        for (const upstream::Peer& peer : group->peers()) {
            status.peers.push_back(peer_status(peer, now));
        }
        all.push_back(std::move(status));
    }
    return all;
}

void collect_worker_status(async::Loop& control, std::vector<std::unique_ptr<Worker>>& workers,
                           Status status, std::function<void(Status)> done) {
    auto collection = std::make_shared<Collection>();
    collection->status = std::move(status);
    collection->done = std::move(done);
    collection->missing = workers.size();
    for (auto& worker : workers) {
        worker->loop().post([&control, collection, worker = worker.get()] {
            const proxy::WorkerContext& context = worker->context();
            control.post([collection, mirrors = context.mirrors().counts(),
                          exchanges = context.exchanges, requests = context.requests,
                          connections = worker->connections()] {
                collection->status.mirrors_running += mirrors.running;
                collection->status.mirrors_sent += mirrors.sent;
                collection->status.mirrors_failed += mirrors.failed;
                collection->status.mirrors_left_out += mirrors.left_out;
                collection->status.exchanges += exchanges;
                collection->status.requests += requests;
                collection->status.connections += connections;
                if (--collection->missing != 0) return;
                // Ends here: a worker may be the last to let go of the collection.
                std::exchange(collection->done, nullptr)(std::move(collection->status));
            });
        });
    }
}

}  // namespace proxyd::server
