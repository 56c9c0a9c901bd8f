#include "proxyd/net/proxy_preface.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "net/reactor_descriptor.hpp"

namespace proxyd::net {
namespace {

Error invalid(std::string detail) {
    return Error(Reason::proxy_protocol_invalid, Source::downstream, Retry::no, std::move(detail));
}

/// Bytes that stay in the kernel hide the end behind them from recv(2).
bool peer_has_left(int socket) noexcept {
    pollfd entry{socket, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) == 1;
}

}  // namespace

/// Outlives a cancelled wait: the reactor still refers to it.
struct ProxyPreface::Pending final
    : boost::asio::detail::reactor_op,
      boost::intrusive_ref_counter<Pending, boost::thread_unsafe_counter> {
    Pending(async::Loop& loop, Descriptor taken)
        : reactor_op(boost::system::error_code(), &Pending::look, &Pending::complete),
          raw(std::move(taken)),
          socket(loop.io()),
          deadline(loop.wheel(), &Pending::expired, this) {}

    void end(Error why) {
        if (!outcome) outcome.emplace(std::move(why));
        ready.set();
    }

    static void expired(void* self) {
        auto& pending = *static_cast<Pending*>(self);
        pending.end(std::move(pending.late));
    }

    /// Inside the reactor, whenever something came.
    static status look(reactor_op* base) {
        auto& pending = *static_cast<Pending*>(base);
        char bytes[kProxyV2Bytes];
        const int fd = pending.socket.get();
        const ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return not_done;
        if (got <= 0) {
            pending.outcome.emplace(
                invalid(got == 0 ? "the connection ended before it" : std::strerror(errno)));
            return done_and_exhausted;
        }
        const auto parsed = parse_proxy_header({bytes, static_cast<std::size_t>(got)});
        if (parsed.state == ProxyParse::State::incomplete) {
            if (!peer_has_left(fd)) return not_done;
            pending.outcome.emplace(invalid("the connection ended inside it"));
        } else if (parsed.state == ProxyParse::State::bad) {
            pending.outcome.emplace(invalid(std::string(parsed.problem)));
        } else {
            (void)::recv(fd, bytes, parsed.size, MSG_DONTWAIT);
            pending.outcome.emplace(parsed.header);
        }
        return done_and_exhausted;
    }

    /// `context` is null when the loop goes down.
    static void complete(void* context, boost::asio::detail::operation* base,
                         const boost::system::error_code&, std::size_t) {
        const boost::intrusive_ptr<Pending> self(std::move(static_cast<Pending*>(base)->armed));
        if (context != nullptr && self->waited_for) self->ready.set();
    }

    Descriptor raw;  ///< until the read begins
    ReactorDescriptor socket;
    async::Deadline deadline;
    Event ready;
    Error late{Reason::proxy_protocol_timeout, Source::downstream, Retry::no,
               "the header was not complete within client.header_timeout"};
    std::optional<Result<ProxyHeader>> outcome;
    boost::intrusive_ptr<Pending> armed;  ///< while the reactor holds the operation
    bool waited_for = false;
};

ProxyPreface::ProxyPreface(async::Loop& loop, Descriptor socket)
    : pending_(new Pending(loop, std::move(socket))) {}

ProxyPreface::~ProxyPreface() {
    pending_->waited_for = false;
    pending_->deadline.disarm();
    pending_->socket.close();
}

Task<Result<ProxyHeader>> ProxyPreface::read(std::chrono::milliseconds limit) {
    Pending& pending = *pending_;
    if (const auto error = pending.socket.assign(pending.raw.release())) {
        co_return Error(Reason::overloaded, Source::internal, Retry::no, error.message());
    }
    pending.armed = pending_;
    pending.waited_for = true;
    pending.deadline.arm(limit);
    pending.socket.start_read(pending, true);
    co_await pending.ready.wait();
    pending.waited_for = false;
    pending.deadline.disarm();
    co_return std::move(*pending.outcome);
}

void ProxyPreface::end_within(std::chrono::milliseconds limit, Error why) {
    if (!pending_->waited_for) return;
    pending_->late = std::move(why);
    pending_->deadline.arm(limit);
}

void ProxyPreface::cancel(Error why) {
    if (pending_->waited_for) pending_->end(std::move(why));
}

Descriptor ProxyPreface::release() noexcept {
    return Descriptor(pending_->socket.release());
}

}  // namespace proxyd::net
