#include "proxyd/net/listen_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace proxyd::net {
namespace {

Error refusal(const Endpoint& endpoint, const std::string& why) {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "cannot listen on " + endpoint.text() + ": " + why);
}

Error failure(const Endpoint& endpoint, const char* step) {
    std::string text = std::string(step) + ": " + std::strerror(errno);
    if (errno == EACCES && endpoint.port() != 0 && endpoint.port() < 1024) {
        text += " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    }
    return refusal(endpoint, text);
}

void switch_on(int fd, int level, int option, int value = 1) noexcept {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

/// A socket file that nobody listens on any more is removed. connect(2) is refused by other kinds
/// of file too, so its answer alone says nothing.
void remove_dead_socket(const Endpoint& endpoint) {
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), endpoint.data(), endpoint.size()) < 0 && errno == ECONNREFUSED) {
        ::unlink(endpoint.path().c_str());
    }
}

}  // namespace

Result<ListenSocket> open_listen_socket(const Endpoint& endpoint, int backlog) {
    if (endpoint.is_unix()) {
        if (is_taken_by_no_socket(endpoint.path())) {
            return refusal(endpoint, "a file that is no socket has this name");
        }
        remove_dead_socket(endpoint);
    }
    Descriptor fd(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return failure(endpoint, "socket");
    if (!endpoint.is_unix()) {
        switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
        switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    }
    if (endpoint.family() == AF_INET6) {
        const bool both = endpoint.ip() == IpAddress::v6({});
        switch_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
    }
    if (::bind(fd.get(), endpoint.data(), endpoint.size()) < 0) return failure(endpoint, "bind");
    SocketFile file;
    if (endpoint.is_unix()) {
        file = SocketFile(endpoint.path());
        ::chmod(endpoint.path().c_str(), 0666);
    }
    if (::listen(fd.get(), backlog) < 0) return failure(endpoint, "listen");
    return ListenSocket{std::move(fd), std::move(file)};
}

}  // namespace proxyd::net
