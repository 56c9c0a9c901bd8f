#include "proxyd/server/server.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include "cache_orders.hpp"
#include "certificate_watch.hpp"
#include "generation_builder.hpp"
#include "health_thread.hpp"
#include "listeners.hpp"
#include "peer_orders.hpp"
#include "proxyd/base/log.hpp"
#include "status.hpp"
#include "worker.hpp"

namespace proxyd::server {
namespace {

/// What RetryBudget::tick() wants.
constexpr std::chrono::milliseconds kBudgetTick{1'000};

/// Client connections leave this many descriptors to backends and logs.
std::uint64_t connection_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::uint64_t files = limit.rlim_cur;
    return files - std::min<std::uint64_t>(1024, files / 4);
}

}  // namespace

struct Server::Impl {
    explicit Impl(async::Loop& its_control)
        : control(its_control),
          certificates(control),
          budget_tick(
              control.wheel(), [](void* self) { static_cast<Impl*>(self)->tick_budgets(); },
              this) {}

    Result<void> start(const NextGeneration& first);
    Result<void> adopt(NextGeneration next);
    void drain(std::chrono::milliseconds limit, std::function<void()> done);
    void stop();
    void deliver(Accepted accepted);
    void make_listeners();
    void tick_budgets();
    [[nodiscard]] bool may_accept() const;

    async::Loop& control;
    GenerationBuilder builder;
    const std::shared_ptr<net::tls::TicketKeys> tickets = std::make_shared<net::tls::TicketKeys>();
    std::shared_ptr<const proxy::Generation> generation;
    std::vector<std::unique_ptr<Worker>> workers;
    std::unique_ptr<Listeners> listeners;
    HealthThread health;
    CertificateWatch certificates;
    async::Deadline budget_tick;
    std::uint64_t max_connections = connection_limit();
    std::uint64_t generation_number = 1;
    std::size_t next_worker = 0;
    bool draining = false;
    std::unique_ptr<async::Deadline> drain_limit;
    std::function<void()> drain_done;
    std::size_t workers_left = 0;
};

bool Server::Impl::may_accept() const {
    std::uint64_t open = 0;
    for (const auto& worker : workers) open += worker->connections();
    return open < max_connections;
}

/// The worker with the fewest connections; equals take turns.
void Server::Impl::deliver(Accepted accepted) {
    if (workers.size() == 1) {
        workers.front()->accept_here(std::move(accepted));
        return;
    }
    std::size_t best = next_worker % workers.size();
    for (std::size_t i = 1; i < workers.size(); ++i) {
        const std::size_t candidate = (next_worker + i) % workers.size();
        if (workers[candidate]->connections() < workers[best]->connections()) best = candidate;
    }
    next_worker = best + 1;
    workers[best]->adopt(std::move(accepted));
}

/// With one worker the acceptors live on its loop: no hand-over between threads. With several
/// they live on the control loop, so that every worker gets the same share
/// (docs/decisions/0001-accept-strategy.md).
void Server::Impl::make_listeners() {
    const bool ours = workers.size() > 1;
    listeners = std::make_unique<Listeners>(
        ours ? control : workers.front()->loop(), ours,
        [this](Accepted accepted) { deliver(std::move(accepted)); },
        [this] { return may_accept(); });
}

Result<void> Server::Impl::start(const NextGeneration& first) {
    for (const std::string& problem : first.problems) log::warn("{}", problem);
    generation = first.generation;
    builder.adopted(first);
    const config::Snapshot& snapshot = generation->snapshot();
    for (unsigned i = 0; i < snapshot.workers; ++i) {
        workers.push_back(std::make_unique<Worker>(control, tickets));
    }
    make_listeners();
    auto prepared = listeners->prepare(snapshot.listeners);
    if (!prepared) {
        listeners.reset();
        workers.clear();
        return std::move(prepared).error();
    }
    for (unsigned i = 0; i < workers.size(); ++i) workers[i]->start(generation, i);
    listeners->commit(std::move(*prepared));
    health.watch(*generation);
    certificates.watch(generation->shared_snapshot());
    tick_budgets();
    return {};
}

/// A lone server has nobody to retry on.
void Server::Impl::tick_budgets() {
    for (const auto& [name, group] : generation->groups()) {
        if (group->peers().size() > 1) group->state().budget.tick(group->attempts());
    }
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    for (const auto& [name, zone] : generation->zones()) zone->tick(now.tv_sec * 1000);
    budget_tick.arm(kBudgetTick);
}

Result<void> Server::Impl::adopt(NextGeneration next) {
    auto prepared = listeners->prepare(next.generation->snapshot().listeners);
    if (!prepared) return std::move(prepared).error();
    generation = next.generation;
    ++generation_number;
    for (auto& worker : workers) worker->set_generation(generation);
    listeners->commit(std::move(*prepared));
    health.watch(*generation);
    certificates.watch(generation->shared_snapshot());
    builder.adopted(next);
    return {};
}

void Server::Impl::drain(std::chrono::milliseconds limit, std::function<void()> done) {
    draining = true;
    drain_done = std::move(done);
    listeners->close_all();
    drain_limit = std::make_unique<async::Deadline>(
        control.wheel(),
        [](void* self) {
            auto& impl = *static_cast<Impl*>(self);
            log::warn("shutdown_timeout is over; what still runs is cut");
            if (impl.drain_done) std::exchange(impl.drain_done, nullptr)();
        },
        this);
    drain_limit->arm(limit);
    workers_left = workers.size();
    for (auto& worker : workers) {
        worker->drain([this] {
            if (--workers_left == 0 && drain_done) std::exchange(drain_done, nullptr)();
        });
    }
}

void Server::Impl::stop() {
    if (listeners) listeners->close_all();
    budget_tick.disarm();
    health.stop();
    certificates.stop();
    for (auto& worker : workers) worker->stop();
    listeners.reset();
    workers.clear();
}

Server::Server(async::Loop& control) : impl_(std::make_unique<Impl>(control)) {}
Server::~Server() { impl_->stop(); }

Result<void> Server::start(const NextGeneration& first) { return impl_->start(first); }
Result<NextGeneration> Server::build(std::shared_ptr<const config::Snapshot> snapshot,
                                     const std::stop_token& stop) {
    return impl_->builder.build(std::move(snapshot), stop);
}
std::optional<NextGeneration> Server::refresh_names(
    std::shared_ptr<const config::Snapshot> snapshot, const std::stop_token& stop) {
    return impl_->builder.refresh_names(std::move(snapshot), stop);
}
Result<void> Server::adopt(NextGeneration next) { return impl_->adopt(std::move(next)); }
std::optional<std::chrono::milliseconds> Server::refresh_after() const {
    return impl_->builder.refresh_after(impl_->generation->snapshot());
}
void Server::drain(std::chrono::milliseconds limit, std::function<void()> done) {
    impl_->drain(limit, std::move(done));
}
void Server::stop() { impl_->stop(); }

Result<void> Server::reopen_logs() {
    for (auto& worker : impl_->workers) worker->flush_logs();
    return impl_->builder.logs().reopen_all();
}

std::shared_ptr<const config::Snapshot> Server::snapshot() const {
    return impl_->generation ? impl_->generation->shared_snapshot() : nullptr;
}

std::vector<UpstreamStatus> Server::upstreams() const {
    return upstream_status(*impl_->generation, impl_->control.now());
}

std::vector<std::string> Server::order_peers(const std::string& upstream,
                                             const std::string& server, PeerOrder order) {
    return give_order(*impl_->generation, upstream, server, order);
}

std::vector<CacheStatus> Server::caches() const { return cache_status(*impl_->generation); }

void Server::purge_cache(const std::string& zone, const cache::Selector& which,
                         std::function<void(CachePurged)> done) {
    server::purge_cache(impl_->control, *impl_->generation, zone, which, std::move(done));
}

void Server::list_caches(const std::string& zone, std::size_t most,
                         std::function<void(CacheList)> done) {
    server::list_caches(impl_->control, *impl_->generation, zone, most, std::move(done));
}

void Server::status(std::function<void(Status)> done) {
    Status status;
    status.generation = impl_->generation_number;
    status.workers = static_cast<unsigned>(impl_->workers.size());
    status.draining = impl_->draining;
    status.listeners = impl_->listeners->describe();
    status.upstreams = upstreams();
    status.certificates = impl_->certificates.status();
    status.caches = caches();
    collect_worker_status(impl_->control, impl_->workers, std::move(status), std::move(done));
}

}  // namespace proxyd::server
