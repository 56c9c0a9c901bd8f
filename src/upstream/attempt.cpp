#include "proxyd/upstream/attempt.hpp"

#include <optional>

#include "connection_pool.hpp"
#include "dial.hpp"

namespace proxyd::upstream {

struct WorkerPools::Impl {
    explicit Impl(async::Loop& its_loop) : loop(its_loop) {}

    ConnectionPool& pool_of(const Peer& peer) {
        const std::size_t id = peer.state->id();
        if (id >= pools.size()) pools.resize(id + 1);
        if (!pools[id]) pools[id] = std::make_unique<ConnectionPool>(loop, peer.state);
        return *pools[id];
    }

    async::Loop& loop;
    ClientContexts contexts;
    std::vector<std::unique_ptr<ConnectionPool>> pools;  ///< by PeerState::id()
};

WorkerPools::WorkerPools(async::Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
WorkerPools::~WorkerPools() = default;
async::Loop& WorkerPools::loop() noexcept { return impl_->loop; }

void WorkerPools::close_idle() {
    for (auto& pool : impl_->pools) {
        if (pool) pool->close_idle();
    }
}

void WorkerPools::keep_only(const std::vector<bool>& peers) {
    for (std::size_t id = 0; id < impl_->pools.size(); ++id) {
        auto& pool = impl_->pools[id];
        if (!pool || (id < peers.size() && peers[id])) continue;
        pool->close_idle();
        if (pool->empty()) pool.reset();
    }
    impl_->contexts.forget_unused();
}

struct Attempts::Connecting {
    explicit Connecting(WorkerPools::Impl& pools) : dial(pools.loop, pools.contexts) {}
    Dial dial;
};

struct Attempts::Prepared {
    Opening opening;
};

Attempts::Attempts(WorkerPools& pools, const Group& group, const AttemptSettings& settings)
    : pools_(pools), group_(group), settings_(settings) {}

Attempts::~Attempts() { leave_peer(); }

void Attempts::leave_peer() noexcept {
    if (peer_ != nullptr) peer_->state->in_flight.fetch_sub(1, std::memory_order_relaxed);
    peer_ = nullptr;
}

bool Attempts::choose(bool same) {
    const Peer* chosen = same ? peer_ : nullptr;
    if (chosen == nullptr) {
        const int index = group_.pick({.tried = tried_, .now = pools_.loop().now()});
        if (index < 0) return false;
        tried_.insert(static_cast<std::size_t>(index));
        chosen = &group_.peers()[static_cast<std::size_t>(index)];
    }
    leave_peer();
    peer_ = chosen;
    peer_->state->in_flight.fetch_add(1, std::memory_order_relaxed);
    peer_->state->requests.fetch_add(1, std::memory_order_relaxed);
    if (same) return true;  // the same try, on a connection that lives
    if (count_ < history_.size()) history_[count_] = peer_;
    ++count_;
    return true;
}

std::string Attempts::addresses() const {
    std::string all;
    for (std::size_t i = 0; i < std::min<std::size_t>(count_, history_.size()); ++i) {
        if (i != 0) all.append(", ");
        all.append(history_[i]->address);
    }
    return all;
}

bool Attempts::another_peer_left() const noexcept {
    const auto& peers = group_.peers();
    const std::int64_t now = pools_.loop().now();
    for (std::size_t i = 0; i < peers.size(); ++i) {
        if (!tried_.contains(i) && !peers[i].down && !peers[i].state->failed_at(now)) return true;
    }
    return false;
}

Task<Result<std::unique_ptr<http::ClientStream>>> Attempts::open(bool may_fail, bool fresh) {
    using Opened = Result<std::unique_ptr<http::ClientStream>>;
    if (!choose(fresh)) {
        return Task<Opened>(Error(Reason::no_live_upstream, Source::upstream, Retry::no,
                                  "no server of upstream '" + group_.settings().name +
                                      "' is available"));
    }
    prepare();
    if (fresh) return connect();
    ConnectionPool& pool = pools_.impl_->pool_of(*peer_);
    pool.configure(group_.settings());
    codec::ClientLimits limits;
    limits.max_header_size = settings_.max_header_size;
    auto stream = pool.reuse(limits, !may_fail, tag());
    if (!stream) return connect();
    http::ClientTimeouts timeouts;
    timeouts.send = settings_.send;
    timeouts.read = settings_.read;
    stream->set_timeouts(timeouts);
    return Task<Opened>(std::move(stream));
}

void Attempts::prepare() {
    prepared_.reset();
    const config::Upstream& upstream = group_.settings();
    if (!peer_->tls && upstream.proxy_protocol == config::ProxyProtocol::off) return;
    prepared_ = std::make_unique<Prepared>();
    prepared_->opening = opening_of(upstream, *peer_, settings_);
}

std::string_view Attempts::tag() const noexcept {
    return prepared_ ? std::string_view(prepared_->opening.tag) : std::string_view();
}

Task<Result<std::unique_ptr<http::ClientStream>>> Attempts::connect() {
    static const Opening plain;
    const Opening& opening = prepared_ ? prepared_->opening : plain;
    Connecting connecting(*pools_.impl_);
    connecting_ = &connecting;
    const async::Milliseconds start = pools_.loop().now();
    auto transport =
        co_await connecting.dial.open(group_.settings(), *peer_, opening, settings_.connect);
    connecting_ = nullptr;
    connect_time_ = std::chrono::milliseconds(pools_.loop().now() - start);
    if (!transport) co_return std::move(transport).error();
    ConnectionPool& pool = pools_.impl_->pool_of(*peer_);
    pool.configure(group_.settings());
    codec::ClientLimits limits;
    limits.max_header_size = settings_.max_header_size;
    auto stream = pool.adopt(std::move(*transport), limits, tag());
    http::ClientTimeouts timeouts;
    timeouts.send = settings_.send;
    timeouts.read = settings_.read;
    stream->set_timeouts(timeouts);
    co_return stream;
}

void Attempts::failed(const Error& why) {
    if (peer_ != nullptr) group_.report_failure(*peer_, pools_.loop().now(), why.code);
}

void Attempts::succeeded() {
    if (peer_ != nullptr) group_.report_success(*peer_);
}

void Attempts::cancel(const Error& why) {
    if (connecting_ != nullptr) connecting_->dial.cancel(why);
}

}  // namespace proxyd::upstream
