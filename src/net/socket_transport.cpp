#include "proxyd/net/socket_transport.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>
#include <memory>

#include "net/reactor_descriptor.hpp"

namespace proxyd::net {
namespace {

namespace asio = boost::asio;

ErrorCode last_error() noexcept {
    return {errno, boost::system::system_category()};
}

class SocketTransport final : public Transport {
  public:
    explicit SocketTransport(asio::io_context& io)
        : socket_(io), read_(*this, &ReadOperation::perform, &SocketTransport::read_done) {}

    ErrorCode assign(int descriptor) { return socket_.assign(descriptor); }

    void start_read() override {
        if (socket_.get() < 0) return;
        read_.start();
        socket_.start_read(read_, true);
    }

    SendResult read_now(char* into, std::size_t room) override {
        const ssize_t got = ::recv(socket_.get(), into, room, MSG_DONTWAIT);
        if (got > 0) return {static_cast<std::size_t>(got), {}};
        return {0, got == 0 ? ErrorCode(asio::error::eof) : last_error()};
    }

    SendResult send(std::span<const iovec> pieces) override {
        ssize_t sent = 0;
        if (pieces.size() == 1) {
            sent = ::send(socket_.get(), pieces[0].iov_base, pieces[0].iov_len, kSendFlags);
        } else {
            msghdr message{};
            message.msg_iov = const_cast<iovec*>(pieces.data());
            message.msg_iovlen = pieces.size();
            sent = ::sendmsg(socket_.get(), &message, kSendFlags);
        }
        if (sent >= 0) return {static_cast<std::size_t>(sent), {}};
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
        return {0, last_error()};
    }

    void wait_write() override {
        if (socket_.get() < 0) return;
        if (!write_) {
            write_ = std::make_unique<Operation>(*this, &SocketTransport::writable,
                                                 &SocketTransport::write_done);
        }
        write_->start();
        socket_.start_write(*write_);
    }

    void shutdown_send() noexcept override { ::shutdown(socket_.get(), SHUT_WR); }
    void close() noexcept override { socket_.close(); }

    void abort() noexcept override {
        const linger now{1, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    [[nodiscard]] bool quiet() const noexcept override {
        char byte = 0;
        const ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    [[nodiscard]] ErrorCode ended() const noexcept override {
        char byte = 0;
        const ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got == 0) return asio::error::eof;
        if (got > 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
        return last_error();
    }

    [[nodiscard]] ErrorCode left() const noexcept override {
        pollfd entry{socket_.get(), POLLRDHUP, 0};
        if (::poll(&entry, 1, 0) != 1) return {};
        if ((entry.revents & (POLLERR | POLLHUP)) != 0) return asio::error::connection_reset;
        return (entry.revents & POLLRDHUP) != 0 ? ErrorCode(asio::error::eof) : ErrorCode();
    }
    [[nodiscard]] std::size_t untaken() const noexcept override {
        int bytes = 0;
        return ::ioctl(socket_.get(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
    }

  private:
    static constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    using Self = boost::intrusive_ptr<SocketTransport>;
    using Reaction = void (*)(SocketTransport&, const asio::detail::reactor_op&);

    /// An operation of the reactor that lives in the transport and keeps it alive while pending.
    struct Operation : asio::detail::reactor_op {
        Operation(SocketTransport& its_owner, perform_func_type perform, Reaction its_reaction)
            : asio::detail::reactor_op(ErrorCode(), perform, &Operation::complete),
              owner(its_owner),
              reaction(its_reaction) {}

        void start() {
            ec_ = {};
            bytes_transferred_ = 0;
            pending = Self(&owner);
        }

        /// `context` is null when the loop goes down: then nothing is reported.
        static void complete(void* context, asio::detail::operation* base, const ErrorCode&,
                             std::size_t) {
            auto& operation = *static_cast<Operation*>(base);
            const Self self = std::move(operation.pending);
            if (context != nullptr && self->observer_ != nullptr)
                operation.reaction(*self, operation);
        }

        SocketTransport& owner;
        const Reaction reaction;
        Self pending;
    };

    struct ReadOperation final : Operation {
        using Operation::Operation;

        /// One recv for each event. "Exhausted" keeps the reactor from trying again at once; a
        /// reader that needs more of the same message asks read_now() before it waits.
        static status perform(asio::detail::reactor_op* base) {
            auto& operation = *static_cast<ReadOperation*>(base);
            TransportObserver* const observer = operation.owner.observer_;
            if (observer == nullptr) return done_and_exhausted;
            const std::span<char> room = observer->read_room();
            const SendResult got = operation.owner.read_now(room.data(), room.size());
            observer->read_landed(got.bytes);
            if (got.error == asio::error::would_block || got.error == asio::error::interrupted) {
                return not_done;
            }
            operation.ec_ = got.error;
            return done_and_exhausted;
        }
    };

    static asio::detail::reactor_op::status writable(asio::detail::reactor_op*) {
        return asio::detail::reactor_op::done;
    }

    static void read_done(SocketTransport& self, const asio::detail::reactor_op& operation) {
        self.observer_->on_read(operation.ec_);
    }
    static void write_done(SocketTransport& self, const asio::detail::reactor_op& operation) {
        self.observer_->on_writable(operation.ec_);
    }

    ReactorDescriptor socket_;
    ReadOperation read_;
    std::unique_ptr<Operation> write_;  ///< once room was waited for: few connections ever do
};

}  // namespace

Result<TransportPtr> make_socket_transport(async::Loop& loop, int descriptor) {
    boost::intrusive_ptr<SocketTransport> transport(new SocketTransport(loop.io()));
    if (const ErrorCode error = transport->assign(descriptor)) {
        return Error(Reason::overloaded, Source::internal, Retry::no, error.message());
    }
    return TransportPtr(std::move(transport));
}

}  // namespace proxyd::net
