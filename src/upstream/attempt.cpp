#include "proxyd/upstream/attempt.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "connection_pool.hpp"
#include "dial.hpp"
#include "health_passive.hpp"

namespace proxyd::upstream {
namespace {

using std::chrono::milliseconds;

codec::ClientLimits limits_of(const AttemptSettings& settings) {
    codec::ClientLimits limits;
    limits.max_header_size = settings.max_header_size;
    return limits;
}

void set_timeouts(http::ClientStream& stream, const AttemptSettings& settings) {
    http::ClientTimeouts timeouts;
    timeouts.send = settings.send;
    timeouts.read = settings.read;
    stream.set_timeouts(timeouts);
}

}  // namespace

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
async::Loop& WorkerPools::loop() noexcept {
    return impl_->loop;
}

void WorkerPools::close_idle() {
    for (auto& pool : impl_->pools) {
        if (pool) pool->close_idle();
    }
}

void WorkerPools::keep_only(const std::vector<bool>& peers) {
    for (std::size_t id = 0; id < impl_->pools.size(); ++id) {
        auto& pool = impl_->pools[id];
        if (!pool || (id < peers.size() && peers[id])) continue;
        pool->retire();
        if (pool->empty()) pool.reset();
    }
    impl_->contexts.forget_unused();
}

/// One stay in the queue. Lives in the frame of wait_in_line().
struct Attempts::Waiting {
    Waiting(Attempts& its_owner, const PickRequest& request)
        : owner(its_owner),
          waiter(std::make_shared<WaitingLine::Waiter>(owner.group_, request, owner.pools_.loop(),
                                                       owner.count_ != 0)),
          until(owner.pools_.loop().now() + owner.group_.settings().queue.timeout.count()),
          deadline(
              owner.pools_.loop().wheel(), [](void* self) { static_cast<Waiting*>(self)->look(); },
              this) {
        owner.waiting_ = this;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        waiter->gone = true;
        owner.waiting_ = nullptr;
    }

    /// Wakes the request: last action.
    void end(Error error) {
        why = std::move(error);
        waiter->woken.set();
    }
    void cancel(const Error& error) {
        canceled = true;
        end(error);
    }

    /// Places also come from a server that recovered, or from a reload: nobody gives those back.
    void look() {
        owner.group_.waiting().serve();
        const Milliseconds left = until - owner.pools_.loop().now();
        if (left <= 0) return end(owner.busy(Reason::queue_timeout));
        if (owner.group_.outlook(owner.request()) == Group::Outlook::dead) {
            return end(owner.no_peer());
        }
        deadline.arm(std::min(std::chrono::milliseconds(left), kLookAgain));
    }

    using Milliseconds = async::Milliseconds;
    static constexpr std::chrono::milliseconds kLookAgain{100};

    Attempts& owner;
    std::shared_ptr<WaitingLine::Waiter> waiter;
    const Milliseconds until;
    async::Deadline deadline;
    std::optional<Error> why;
    bool canceled = false;
};

/// One wait for a connection that another request makes.
struct Attempts::Joining {
    Joining(SharedDials& dials, async::Loop& loop, std::string_view tag, milliseconds limit)
        : waiter(dials, loop, tag, limit) {}
    SharedDials::Waiter waiter;
};

Attempts::Attempts(WorkerPools& pools, const Group& group, const AttemptSettings& settings)
    : pools_(pools), group_(group), settings_(settings) {}

Attempts::~Attempts() {
    answered();
    if (reserved_ >= 0) group_.release(group_.peers()[static_cast<std::size_t>(reserved_)]);
}

void Attempts::answered() noexcept {
    if (std::exchange(holds_place_, false)) group_.release(*peer_);
}

PickRequest Attempts::request() const noexcept {
    return {.tried = tried_,
            .now = pools_.loop().now(),
            .hash_key = settings_.hash_key,
            .client = settings_.client,
            .preferred = settings_.preferred};
}

/// The peer at which pick() took a place.
void Attempts::take_over(int index) {
    answered();
    tried_.insert(static_cast<std::size_t>(index));
    peer_ = &group_.peers()[static_cast<std::size_t>(index)];
    holds_place_ = true;
    peer_->state->requests.fetch_add(1, std::memory_order_relaxed);
    if (count_ < history_.size()) history_[count_] = peer_;
    ++count_;
}

std::string Attempts::addresses() const {
    std::string all;
    for (std::size_t i = 0; i < std::min<std::size_t>(count_, history_.size()); ++i) {
        if (i != 0) all.append(", ");
        all.append(history_[i]->address);
    }
    return all;
}

bool Attempts::take_place() noexcept {
    if (reserved_ < 0 && !others_wait()) reserved_ = group_.pick(request());
    return reserved_ >= 0;
}

bool Attempts::reserve_next(bool may_wait) noexcept {
    return take_place() || (may_wait && has_queue() && another_peer_left());
}

bool Attempts::another_peer_left() const noexcept {
    const Group::Outlook outlook = group_.outlook(request());
    return outlook == Group::Outlook::open || (outlook == Group::Outlook::busy && has_queue());
}

/// The queue takes whom no peer can; nobody overtakes those who wait there.
bool Attempts::has_queue() const noexcept {
    return group_.settings().queue.size != 0;
}
bool Attempts::others_wait() const noexcept {
    return has_queue() && group_.waiting().size() != 0;
}

Error Attempts::no_peer() const {
    const Reason why =
        out_of_service(group_) ? Reason::no_healthy_upstream : Reason::no_live_upstream;
    return Error(why, Source::upstream, Retry::no,
                 "no server of upstream '" + group_.settings().name + "' is available");
}

Error Attempts::busy(Reason reason) const {
    return Error(reason, Source::internal, Retry::no,
                 "every server of upstream '" + group_.settings().name + "' is at max_conns");
}

Task<Attempts::Opened> Attempts::open(bool may_fail, bool fresh) {
    if (fresh) {
        peer_->state->requests.fetch_add(1, std::memory_order_relaxed);
        // The same try, on a connection that lives.
        return multiplexes() ? join_or_connect(false) : connect();
    }
    answered();
    if (take_place()) {
        take_over(std::exchange(reserved_, -1));
        return open_at_peer(may_fail);
    }
    if (!others_wait() && group_.outlook(request()) == Group::Outlook::dead) {
        return Task<Opened>(no_peer());
    }
    if (!has_queue()) return Task<Opened>(busy(Reason::upstream_busy));
    return wait_in_line(may_fail);
}

Task<Attempts::Opened> Attempts::open_at_peer(bool may_fail) {
    prepare();
    auto stream = reuse(may_fail);
    if (stream) return Task<Opened>(std::move(stream));
    return multiplexes() ? join_or_connect(may_fail) : connect();
}

std::unique_ptr<http::ClientStream> Attempts::reuse(bool may_fail) {
    auto stream = pool().reuse(limits_of(settings_), !may_fail, tag());
    if (stream) set_timeouts(*stream, settings_);
    return stream;
}

/// Where one connection serves many requests, they do not all make one.
Task<Attempts::Opened> Attempts::join_or_connect(bool may_fail) {
    const async::Milliseconds start = pools_.loop().now();
    while (true) {
        if (auto stream = reuse(may_fail)) co_return stream;
        if (!pool().dials().worth_waiting(tag())) break;
        milliseconds left = settings_.connect;
        if (left.count() != 0) {
            left = std::max(left - milliseconds(pools_.loop().now() - start), milliseconds(1));
        }
        Joining joining(pool().dials(), pools_.loop(), tag(), left);
        joining_ = &joining;
        auto why = co_await joining.waiter.wait();
        joining_ = nullptr;
        connect_time_ = milliseconds(pools_.loop().now() - start);
        if (why) co_return *std::move(why);
    }
    auto opened = co_await connect_for_all();
    co_return opened;
}

/// A connection that others wait for. One that was given up says nothing of the peer: the next of
/// them makes it.
Task<Attempts::Opened> Attempts::connect_for_all() {
    SharedDials& dials = pool().dials();
    const std::string tag(this->tag());
    given_up_ = false;
    std::optional<SharedDials::Making> making(std::in_place, dials, tag);
    auto opened = co_await connect();
    making.reset();
    if (opened) co_return opened;
    const Error why = opened.error();
    given_up_ ? dials.wake(tag) : dials.fail(tag, why);
    co_return why;
}

Task<Attempts::Opened> Attempts::wait_in_line(bool may_fail) {
    const PickRequest wanted = request();
    int index = -1;
    bool canceled = false;
    std::optional<Error> why;
    {
        Waiting waiting(*this, wanted);
        WaitingLine& line = group_.waiting();
        if (!line.join(waiting.waiter, group_.settings().queue.size)) {
            co_return busy(Reason::queue_full);
        }
        waiting.look();
        co_await waiting.waiter->woken.wait();
        index = line.leave(*waiting.waiter);
        canceled = waiting.canceled;
        why = std::move(waiting.why);
    }
    if (index >= 0) take_over(index);  // also when it came at the last moment
    if (canceled) answered();          // the next in line has it
    if (canceled || index < 0) co_return *std::move(why);
    auto opened = co_await open_at_peer(may_fail);
    co_return opened;
}

void Attempts::prepare() {
    opening_.reset();
    const config::Upstream& upstream = group_.settings();
    const bool plain = !peer_->tls && !upstream.http2;
    if (plain && upstream.proxy_protocol == config::ProxyProtocol::off) return;
    opening_ = std::make_unique<Opening>(opening_of(upstream, *peer_, settings_));
}

ConnectionPool& Attempts::pool() const {
    ConnectionPool& pool = pools_.impl_->pool_of(*peer_);
    pool.configure(group_.settings());
    return pool;
}

std::string_view Attempts::tag() const noexcept {
    return opening_ ? std::string_view(opening_->tag) : std::string_view();
}

bool Attempts::multiplexes() const noexcept {
    return opening_ && opening_->http2;
}

Task<Attempts::Opened> Attempts::connect() {
    static const Opening plain;
    const Opening& opening = opening_ ? *opening_ : plain;
    Dial dial(pools_.impl_->loop, pools_.impl_->contexts);
    dial_ = &dial;
    const async::Milliseconds start = pools_.loop().now();
    auto transport = co_await dial.open(group_.settings(), *peer_, opening, settings_.connect);
    dial_ = nullptr;
    connect_time_ = std::chrono::milliseconds(pools_.loop().now() - start);
    if (!transport) co_return std::move(transport).error();
    Spoken spoken;
    spoken.http2 = dial.http2();
    spoken.scheme = peer_->tls ? http::Scheme::https : http::Scheme::http;
    auto stream = pool().adopt(std::move(*transport), spoken, limits_of(settings_), tag());
    set_timeouts(*stream, settings_);
    if (multiplexes() && !spoken.http2) pool().dials().found_single(tag());
    co_return stream;
}

/// Whoever can choose the name can make a handshake fail: that says nothing of the peer.
bool Attempts::fault_of_name(const Error& why) const noexcept {
    if (!opening_ || !opening_->name_is_asked) return false;
    return why.code == Reason::upstream_certificate_name ||
           why.code == Reason::upstream_certificate_untrusted ||
           why.code == Reason::upstream_certificate_expired ||
           why.code == Reason::upstream_tls_failed;
}

void Attempts::failed(const Error& why) {
    if (peer_ != nullptr && !fault_of_name(why))
        group_.report_failure(*peer_, pools_.loop().now(), why.code);
}

void Attempts::succeeded() {
    if (peer_ != nullptr) group_.report_success(*peer_);
}

void Attempts::cancel(const Error& why) {
    given_up_ = true;
    if (dial_ != nullptr) return dial_->cancel(why);
    if (joining_ != nullptr) return joining_->waiter.end(why);
    if (waiting_ != nullptr) waiting_->cancel(why);
}

}  // namespace proxyd::upstream
