#include "proxyd/net/connector.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "proxyd/net/listen_socket.hpp"
#include "proxyd/net/socket_transport.hpp"

namespace proxyd::net {
namespace {

Error failed(int code, const Endpoint& endpoint) {
    const std::string where = endpoint.text();
    switch (code) {
        case ECONNREFUSED:
        case ENOENT:  // unix: no such socket
            return Error(Reason::upstream_refused, Source::upstream, Retry::yes,
                         "nothing listens on " + where);
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:
            return Error(Reason::overloaded, Source::internal, Retry::no,
                         "cannot open a socket to " + where + ": " + std::strerror(code));
        case ETIMEDOUT:
            return Error(Reason::upstream_timeout_connect, Source::upstream, Retry::yes,
                         "no answer from " + where);
        default:
            return Error(Reason::upstream_unreachable, Source::upstream, Retry::yes,
                         "cannot connect to " + where + ": " + std::strerror(code));
    }
}

/// An event of an older socket with the same place in the reactor may wake us too early.
bool writable(int descriptor) noexcept {
    pollfd entry{descriptor, POLLOUT, 0};
    return ::poll(&entry, 1, 0) != 0;
}

}  // namespace

/// What outlives a cancelled wait: the transport's callback may come later.
struct Connector::Pending final
    : TransportObserver,
      boost::intrusive_ref_counter<Pending, boost::thread_unsafe_counter> {
    explicit Pending(async::Loop& loop) : deadline(loop.wheel(), &Pending::expired, this) {}

    static void expired(void* self) {
        auto& pending = *static_cast<Pending*>(self);
        pending.end(Error(Reason::upstream_timeout_connect, Source::upstream, Retry::yes,
                          "the connection was not accepted within timeouts.connect"));
    }
    std::span<char> read_room() override { return {}; }
    void read_landed(std::size_t) override {}
    void on_read(const ErrorCode&) override {}
    void on_writable(const ErrorCode&) override { ready.set(); }
    void end(Error why) {
        if (!error) error = std::move(why);
        ready.set();
    }

    async::Deadline deadline;
    Event ready;
    std::optional<Error> error;
};

Connector::Connector(async::Loop& loop) noexcept : loop_(loop) {}
Connector::~Connector() = default;

Task<Result<TransportPtr>> Connector::connect(const Endpoint& endpoint,
                                              std::chrono::milliseconds limit) {
    Descriptor fd(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return failed(errno, endpoint);
    if (!endpoint.is_unix()) {
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const int rc = ::connect(fd.get(), endpoint.data(), endpoint.size());
    const int code = rc == 0 ? 0 : errno;
    if (code != 0 && code != EINPROGRESS) co_return failed(code, endpoint);

    const int raw = fd.get();
    auto made = make_socket_transport(loop_, fd.release());
    if (!made || code == 0) co_return made;

    TransportPtr transport = *made;
    const boost::intrusive_ptr<Pending> pending(new Pending(loop_));
    pending_ = pending;
    transport->observe(pending.get());
    pending->deadline.arm(limit);
    do {
        transport->wait_write();
        co_await pending->ready.wait();
    } while (!pending->error && !writable(raw));

    pending_.reset();
    pending->deadline.disarm();
    transport->observe(nullptr);
    if (pending->error) {
        transport->close();
        co_return std::move(*pending->error);
    }
    int outcome = 0;
    socklen_t size = sizeof outcome;
    ::getsockopt(raw, SOL_SOCKET, SO_ERROR, &outcome, &size);
    if (outcome != 0) {
        transport->close();
        co_return failed(outcome, endpoint);
    }
    co_return transport;
}

void Connector::cancel(Error why) {
    if (const auto pending = pending_) pending->end(std::move(why));
}

}  // namespace proxyd::net
