#include "status.hpp"

#include <ctime>
#include <utility>

namespace proxyd::server {
namespace {

std::string_view order_word(upstream::Admin order) {
    switch (order) {
        case upstream::Admin::drain:
            return "drain";
        case upstream::Admin::down:
            return "down";
        case upstream::Admin::up:
            break;
    }
    return "up";
}

/// What keeps requests away, the strongest first.
void describe_state(PeerStatus& status, const upstream::Peer& peer, std::int64_t now) {
    const upstream::PeerState& state = *peer.state;
    if (peer.down) {
        status.state = "down";
    } else if (status.ordered != "up") {
        status.state = status.ordered;
        status.cause = "ordered";
    } else if (state.unhealthy.load(std::memory_order_relaxed)) {
        status.state = "unhealthy";
        status.cause = status.last_check;
    } else if (state.failed_at(now)) {
        status.state = "failed";
        status.cause = word(state.last_failure());
    } else {
        status.state = "up";
    }
}

PeerStatus peer_status(const upstream::Peer& peer, bool checked, std::int64_t now) {
    PeerStatus status;
    const upstream::PeerState& state = *peer.state;
    const upstream::PeerState::Checks checks = state.checks();
    status.address = peer.address;
    status.server = peer.server;
    status.weight = peer.weight;
    status.backup = peer.backup;
    status.ordered = order_word(state.admin.load(std::memory_order_relaxed));
    status.since = std::time(nullptr) - (now - state.since(now)) / 1000;
    status.checked = checked && !peer.down;
    status.checks_passed = checks.passed;
    status.checks_failed = checks.failed;
    status.last_check = checks.last;
    describe_state(status, peer, now);
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

std::vector<UpstreamStatus> upstream_status(const proxy::Generation& generation, std::int64_t now) {
    std::vector<UpstreamStatus> all;
    for (const auto& [name, group] : generation.groups()) {
        UpstreamStatus status;
        status.name = name;
        status.waiting = group->waiting().size();
        for (const upstream::Peer& peer : group->peers()) {
            status.peers.push_back(
                peer_status(peer, group->settings().health_check != nullptr, now));
        }
        status.retries = group->state().budget.retries();
        status.retries_refused = group->state().budget.refused();
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
                          tls = worker->tls().counts(), exchanges = context.exchanges,
                          requests = context.requests, connections = worker->connections()] {
                collection->status.mirrors_running += mirrors.running;
                collection->status.mirrors_sent += mirrors.sent;
                collection->status.mirrors_failed += mirrors.failed;
                collection->status.mirrors_left_out += mirrors.left_out;
                collection->status.handshakes_tls12 += tls.tls12;
                collection->status.handshakes_tls13 += tls.tls13;
                collection->status.handshakes_resumed += tls.resumed;
                collection->status.handshakes_failed += tls.failed;
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
