#include "worker.hpp"

#include <pthread.h>

#include "proxyd/base/block.hpp"
#include "proxyd/base/log.hpp"
#include "proxyd/net/socket_transport.hpp"

namespace proxyd::server {
namespace {

constexpr std::chrono::milliseconds kTrimEvery{1000};
/// How long copies may still run when the last client has gone.
constexpr std::chrono::milliseconds kMirrorGrace{1000};

template <class List>
auto pointers_to(List& list) {
    std::vector<typename List::pointer> all;
    for (auto& each : list) all.push_back(&each);
    return all;
}

}  // namespace

Worker::Worker(async::Loop& control, std::shared_ptr<net::tls::TicketKeys> tickets)
    : control_(control),
      context_(std::make_unique<proxy::WorkerContext>(loop_)),
      tls_(loop_, hosts_, std::move(tickets)),
      trim_(
          loop_.wheel(),
          [](void* self) {
              Block::trim();
              static_cast<Worker*>(self)->trim_.arm(kTrimEvery);
          },
          this) {
    const auto idle = [this] {
        check_drained();
        if (stopping_) check_stopped();
    };
    context_->mirrors().set_idle_listener(idle);
    context_->fills().set_idle_listener(idle);
}

Worker::~Worker() {
    stop();
}

void Worker::start(std::shared_ptr<const proxy::Generation> generation, unsigned number) {
    install(std::move(generation));
    thread_ = std::thread([this, number] {
        const std::string name = "worker/" + std::to_string(number);
        ::pthread_setname_np(::pthread_self(), name.c_str());
        trim_.arm(kTrimEvery);
        loop_.run();
        // The descriptors and frames of this loop go with its thread.
        context_->flush_logs();
    });
}

void Worker::stop() {
    if (!thread_.joinable()) return;
    loop_.post([this] {
        cut_all();
        context_->mirrors().cancel_all(Error(Reason::shutting_down));
        context_->fills().cancel_all(Error(Reason::shutting_down));
        context_->pools().close_idle();
        stopping_ = true;
        check_stopped();
    });
    thread_.join();
}

/// Ending one never ends another, so the pointers stay good.
void Worker::cut_all() {
    const Error why(Reason::shutting_down);
    for (Connection* connection : pointers_to(list_)) connection->abort(why);
    for (Arrival* arrival : pointers_to(arrivals_)) arrival->cancel(why);
}

void Worker::install(std::shared_ptr<const proxy::Generation> generation) {
    auto retire = [&control = control_](std::shared_ptr<const proxy::Generation> old) {
        control.post([old = std::move(old)] {});
    };
    generation_ = new proxy::WorkerGeneration(std::move(generation), std::move(retire));
}

void Worker::set_generation(std::shared_ptr<const proxy::Generation> generation) {
    loop_.post([this, generation = std::move(generation)]() mutable {
        install(std::move(generation));
        context_->keep_only(**generation_);
        tls_.forget_policies();
    });
}

void Worker::adopt(Accepted accepted) {
    connections_.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(handing_over_);
    handed_over_.push_back(std::move(accepted));
    if (handed_over_.size() == 1) loop_.post([this] { take_handed_over(); });
}

/// One post brings all that were accepted until the worker gets to it.
void Worker::take_handed_over() {
    std::vector<Accepted> all;
    {
        const std::lock_guard lock(handing_over_);
        all.swap(handed_over_);
    }
    for (Accepted& each : all) arrive(std::move(each));
}

void Worker::accept_here(Accepted accepted) {
    connections_.fetch_add(1, std::memory_order_relaxed);
    arrive(std::move(accepted));
}

void Worker::arrive(Accepted accepted) {
    accepted.at = loop_.now();
    if (!accepted.listener->proxy_protocol && !accepted.listener->tls) {
        return take(std::move(accepted), {});
    }
    auto* arrival = new Arrival(*this, std::move(accepted));
    arrivals_.push_back(*arrival);
    if (context_->draining) arrival->drain();
    scope_.spawn(arrival->run());
}

void Worker::remove(Arrival& arrival, bool taken) {
    arrivals_.erase(arrivals_.iterator_to(arrival));
    delete &arrival;
    if (!taken) connections_.fetch_sub(1, std::memory_order_relaxed);
    check_ended();
}

/// What a client does wrong with TLS is its own affair; who sends no PROXY header is configured
/// wrongly. A client that says nothing is neither.
void Worker::log_refusal(const Accepted& accepted, const Error& why) {
    const bool of_tls =
        why.code == Reason::tls_handshake_failed || why.code == Reason::tls_handshake_timeout;
    const log::Level level = of_tls ? log::Level::info : log::Level::warn;
    if (why.code == Reason::shutting_down || why.code == Reason::client_closed) return;
    if (!log::enabled(level) || !context_->error_lines.take(loop_.now())) return;
    log::write(level, fmt::format("{}: {}: {}; client {}, listener '{}'", word(why.code),
                                  describe(why.code), why.detail,
                                  accepted.remote.is_unix() ? "unix:" : accepted.remote.text(),
                                  accepted.listener->name));
}

void Worker::take(Accepted accepted, net::tls::SecuredTransport secured) {
    SecureFactsPtr secure;
    if (secured.transport) {
        secure = secure_facts_.get(std::move(secured.agreement));
    } else {
        auto transport = net::make_socket_transport(loop_, accepted.descriptor);
        if (!transport) {
            log::warn("connection refused: {}", transport.error().detail);
            return connection_gone();
        }
        secured.transport = std::move(*transport);
    }
    auto* connection = new Connection(*this, std::move(secured.transport), accepted, next_id_++,
                                      std::move(secure));
    list_.push_back(*connection);
    if (context_->draining) connection->drain();
    scope_.spawn(connection->run());
}

void Worker::remove(Connection& connection) {
    list_.erase(list_.iterator_to(connection));
    delete &connection;
    connection_gone();
}

void Worker::connection_gone() {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    check_ended();
}

void Worker::check_ended() {
    check_drained();
    if (stopping_) check_stopped();
}

/// The loop ends when every exchange has seen that its connection was cut.
void Worker::check_stopped() {
    if (!list_.empty() || !arrivals_.empty() || context_->mirrors().counts().running > 0 ||
        context_->fills().running() > 0) {
        return;
    }
    generation_.reset();
    loop_.post([this] { loop_.stop(); });
}

void Worker::drain(std::function<void()> done) {
    loop_.post([this, done = std::move(done)]() mutable {
        context_->draining = true;
        drained_ = std::move(done);
        context_->pools().close_idle();
        for (Connection* connection : pointers_to(list_)) connection->drain();
        for (Arrival& arrival : arrivals_) arrival.drain();
        check_drained();
    });
}

void Worker::check_drained() {
    if (!drained_ || !list_.empty() || !arrivals_.empty()) return;
    if (context_->fills().running() > 0) {  // for nobody
        return context_->fills().cancel_all(Error(Reason::shutting_down));
    }
    if (context_->mirrors().counts().running > 0) {
        return context_->mirrors().end_within(kMirrorGrace);
    }
    control_.post(std::exchange(drained_, nullptr));
}

void Worker::flush_logs() {
    loop_.post([this] { context_->flush_logs(); });
}

}  // namespace proxyd::server
