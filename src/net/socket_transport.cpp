#include "proxyd/net/socket_transport.hpp"

#include <unistd.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cerrno>

namespace proxyd::net {
namespace {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;

ErrorCode last_error() noexcept { return {errno, boost::system::system_category()}; }

class SocketTransport final : public Transport {
  public:
    explicit SocketTransport(asio::io_context& io) : socket_(io.get_executor()) {}

    ErrorCode assign(int descriptor, int family) {
        ErrorCode error;
        socket_.assign(Protocol(family, 0), descriptor, error);
        return error;
    }

    void start_read(char* into, std::size_t room) override {
        socket_.async_read_some(asio::buffer(into, room),
                                [self = Self(this)](const ErrorCode& error, std::size_t bytes) {
                                    if (self->observer_) self->observer_->on_read(error, bytes);
                                });
    }

    SendResult read_now(char* into, std::size_t room) override {
        const ssize_t got = ::recv(fd(), into, room, MSG_DONTWAIT);
        if (got > 0) return {static_cast<std::size_t>(got), {}};
        return {0, got == 0 ? ErrorCode(asio::error::eof) : last_error()};
    }

    void wait_read() override {
        socket_.async_wait(Socket::wait_read, [self = Self(this)](const ErrorCode& error) {
            if (self->observer_) self->observer_->on_readable(error);
        });
    }

    void cancel_read() override {
        ErrorCode ignored;
        socket_.cancel(ignored);
    }

    SendResult send(std::span<const iovec> pieces) override {
        ssize_t sent = 0;
        if (pieces.size() == 1) {
            sent = ::send(fd(), pieces[0].iov_base, pieces[0].iov_len, kSendFlags);
        } else {
            msghdr message{};
            message.msg_iov = const_cast<iovec*>(pieces.data());
            message.msg_iovlen = pieces.size();
            sent = ::sendmsg(fd(), &message, kSendFlags);
        }
        if (sent >= 0) return {static_cast<std::size_t>(sent), {}};
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
        return {0, last_error()};
    }

    void wait_write() override {
        socket_.async_wait(Socket::wait_write, [self = Self(this)](const ErrorCode& error) {
            if (self->observer_) self->observer_->on_writable(error);
        });
    }

    void shutdown_send() noexcept override {
        ErrorCode ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    void close() noexcept override {
        ErrorCode ignored;
        socket_.close(ignored);
    }

    void abort() noexcept override {
        const linger now{1, 0};
        ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    [[nodiscard]] bool quiet() const noexcept override {
        char byte = 0;
        const ssize_t got = ::recv(const_cast<Socket&>(socket_).native_handle(), &byte, 1,
                                   MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

  private:
    using Self = boost::intrusive_ptr<SocketTransport>;
    static constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

    int fd() noexcept { return socket_.native_handle(); }

    Socket socket_;
};

}  // namespace

Result<TransportPtr> make_socket_transport(async::Loop& loop, int descriptor, int family) {
    boost::intrusive_ptr<SocketTransport> transport(new SocketTransport(loop.io()));
    if (const ErrorCode error = transport->assign(descriptor, family)) {
        ::close(descriptor);
        return Error(Reason::overloaded, Source::internal, Retry::no, error.message());
    }
    return TransportPtr(std::move(transport));
}

}  // namespace proxyd::net
