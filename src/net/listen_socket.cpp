#include "proxyd/net/listen_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace proxyd::net {
namespace {

Error failure(const Endpoint& endpoint, const char* step) {
    std::string text = std::string("cannot listen on ") + endpoint.text() + ": " + step + ": " +
                       std::strerror(errno);
    if (errno == EACCES && endpoint.port() != 0 && endpoint.port() < 1024) {
        text += " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    }
    return Error(Reason::internal_error, Source::internal, Retry::no, std::move(text));
}

void switch_on(int fd, int level, int option, int value = 1) noexcept {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

/// A socket file that nobody listens on any more is removed.
void remove_dead_socket(const Endpoint& endpoint) {
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), endpoint.data(), endpoint.size()) < 0 && errno == ECONNREFUSED) {
        ::unlink(endpoint.path().c_str());
    }
}

}  // namespace

Result<Descriptor> open_listen_socket(const Endpoint& endpoint, int backlog) {
    if (endpoint.is_unix()) remove_dead_socket(endpoint);
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
    if (endpoint.is_unix()) ::chmod(endpoint.path().c_str(), 0666);
    if (::listen(fd.get(), backlog) < 0) return failure(endpoint, "listen");
    return fd;
}

}  // namespace proxyd::net
