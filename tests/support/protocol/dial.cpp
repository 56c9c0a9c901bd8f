#include "support/protocol/dial.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

namespace proxyd::test::protocol {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

int connect_tcp(const DialOptions& options) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.receive_buffer > 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer,
                     sizeof options.receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string why = std::strerror(errno);
        ::close(fd);
        throw std::runtime_error("connect to port " + std::to_string(options.port) + ": " + why);
    }
    return fd;
}

bool agreed(SSL* ssl, const std::string& alpn) {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &size);
    return std::string_view(reinterpret_cast<const char*>(chosen), size) == alpn;
}

// Both directions until both have ended or one broke. The TLS socket is blocking with limits.
class Pump {
  public:
    Pump(Session session, int tcp, int plain)
        : session_(std::move(session)), tcp_(tcp), plain_(plain) {}
    ~Pump() {
        session_.reset();
        ::close(tcp_);
        ::close(plain_);
    }
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    void run() {
        bool in = true, out = true;  // from the peer; from the test
        while (in || out) {
            pollfd entries[2] = {{in ? tcp_ : -1, POLLIN, 0},
                                 {plain_, static_cast<short>(out ? POLLIN : 0), 0}};
            const bool pending = in && SSL_pending(session_.get()) > 0;
            if (!pending && ::poll(entries, 2, 60'000) <= 0) return;
            if (!out && (entries[1].revents & (POLLHUP | POLLERR)) != 0) return;
            if ((pending || entries[0].revents != 0) && !from_peer(in)) return;
            if (out && entries[1].revents != 0 && !from_test(out, entries[1].revents)) return;
        }
    }

  private:
    bool from_peer(bool& in) {
        const int got = SSL_read(session_.get(), data_, sizeof data_);
        if (got > 0) return ::send(plain_, data_, static_cast<std::size_t>(got), MSG_NOSIGNAL) > 0;
        const int why = SSL_get_error(session_.get(), got);
        if (why == SSL_ERROR_WANT_READ) return true;  // a ticket, no bytes
        in = false;
        if (why != SSL_ERROR_ZERO_RETURN) return false;
        ::shutdown(plain_, SHUT_WR);
        return true;
    }
    bool from_test(bool& out, short events) {
        const auto got = ::recv(plain_, data_, sizeof data_, 0);
        if (got > 0) return SSL_write(session_.get(), data_, static_cast<int>(got)) > 0;
        // Half-closed says goodbye in TLS; closed just goes, as a client that vanishes.
        if ((events & POLLHUP) != 0 || got < 0) return false;
        out = false;
        SSL_shutdown(session_.get());
        return true;
    }

    Session session_;
    int tcp_;
    int plain_;
    char data_[16'384];
};

int start_tls(int tcp, const DialOptions& options) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const timeval limit{60, 0};
    ::setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(tcp, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    Session session(SSL_new(context.get()), &SSL_free);
    SSL_set_fd(session.get(), tcp);
    SSL_clear_mode(session.get(), SSL_MODE_AUTO_RETRY);
    SSL_set_tlsext_host_name(session.get(), options.name.c_str());
    const std::string offer = static_cast<char>(options.alpn.size()) + options.alpn;
    if (!options.alpn.empty()) {
        SSL_set_alpn_protos(session.get(), reinterpret_cast<const unsigned char*>(offer.data()),
                            static_cast<unsigned>(offer.size()));
    }
    const bool done = SSL_connect(session.get()) == 1 && agreed(session.get(), options.alpn);
    int ends[2];
    if (!done || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        session.reset();
        ::close(tcp);
        throw std::runtime_error("the TLS handshake for " + options.name + " failed, or ALPN " +
                                 options.alpn + " was not agreed on");
    }
    auto pump = std::make_unique<Pump>(std::move(session), tcp, ends[0]);
    std::thread([pump = std::move(pump)] { pump->run(); }).detach();
    return ends[1];
}

}  // namespace

Wire dial(const DialOptions& options) {
    const int tcp = connect_tcp(options);
    return Wire(options.tls ? start_tls(tcp, options) : tcp);
}

}  // namespace proxyd::test::protocol
