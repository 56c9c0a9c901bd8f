#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace proxyd::test {
namespace {

sockaddr_in loopback(const std::string& text, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
        throw std::runtime_error("bad address " + text);
    }
    return address;
}

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

Wire open_socket(int family, const ClientOptions& options) {
    Wire wire(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!wire.is_open()) {
        fail("socket");
    }
    if (options.receive_buffer > 0) {
        ::setsockopt(wire.fd(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer,
                     sizeof options.receive_buffer);
    }
    return wire;
}

void connect_within(const Wire& wire, const sockaddr* address, socklen_t size, Duration limit,
                    const std::string& name) {
    if (::connect(wire.fd(), address, size) == 0) {
        return;
    }
    if (errno != EINPROGRESS) {
        fail("connect to " + name);
    }
    pollfd entry{wire.fd(), POLLOUT, 0};
    if (::poll(&entry, 1, static_cast<int>(limit.count())) != 1) {
        errno = ETIMEDOUT;
        fail("connect to " + name);
    }
    socklen_t length = sizeof errno;
    ::getsockopt(wire.fd(), SOL_SOCKET, SO_ERROR, &errno, &length);
    if (errno != 0) {
        fail("connect to " + name);
    }
}

}  // namespace

RawClient::RawClient(std::uint16_t port, ClientOptions options)
    : options_(std::move(options)), wire_(open_socket(AF_INET, options_)) {
    const int on = 1;
    ::setsockopt(wire_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!options_.source.empty()) {
        const auto from = loopback(options_.source, 0);
        if (::bind(wire_.fd(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
            fail("bind to " + options_.source);
        }
    }
    const auto to = loopback("127.0.0.1", port);
    connect_within(wire_, reinterpret_cast<const sockaddr*>(&to), sizeof to, options_.limit,
                   "127.0.0.1:" + std::to_string(port));
}

RawClient::RawClient(const std::filesystem::path& socket, ClientOptions options)
    : options_(std::move(options)), wire_(open_socket(AF_UNIX, options_)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, socket.c_str(), sizeof to.sun_path - 1);
    connect_within(wire_, reinterpret_cast<const sockaddr*>(&to), sizeof to, options_.limit,
                   socket.string());
}

void RawClient::send(std::string_view bytes) {
    const auto status = wire_.send(bytes, options_.limit);
    if (status != IoStatus::Ok) {
        throw std::runtime_error("send: " + std::string(to_text(status)));
    }
}

IoStatus RawClient::try_send(std::string_view bytes, Duration limit) {
    return wire_.send(bytes, limit);
}

Response RawClient::read_response(std::string_view method, ReadOptions options) {
    options.limit = std::min(options.limit, options_.limit);
    return test::read_response(wire_, method, options);
}

Response RawClient::read_head(ReadOptions options) {
    Response response;
    options.limit = std::min(options.limit, options_.limit);
    read_response_head(wire_, response, options);
    return response;
}

void RawClient::read_body(Response& response, std::string_view method, ReadOptions options) {
    read_response_body(wire_, response, method, options);
}

Response RawClient::get(std::string_view path, std::string_view fields, std::string_view host) {
    return exchange(get_request(path, fields, host));
}

Response RawClient::exchange(std::string_view bytes, std::string_view method) {
    send(bytes);
    return read_response(method);
}

std::string RawClient::read_some(Duration limit, std::size_t most) {
    if (wire_.view().empty()) {
        wire_.fill(Deadline(limit), most);
    }
    std::string bytes(wire_.view());
    wire_.consume(bytes.size());
    return bytes;
}

std::string RawClient::read_exactly(std::size_t count) {
    const Deadline deadline(options_.limit);
    while (wire_.view().size() < count && wire_.fill(deadline) == IoStatus::Ok) {
    }
    std::string bytes(wire_.view().substr(0, count));
    wire_.consume(bytes.size());
    return bytes;
}

Remainder RawClient::read_until_close(Duration limit) {
    const Deadline deadline(limit);
    Remainder result;
    while ((result.end = wire_.fill(deadline)) == IoStatus::Ok) {
    }
    result.text = wire_.view();
    wire_.consume(result.text.size());
    return result;
}

bool RawClient::closed_by_peer(Duration limit) {
    const auto rest = read_until_close(limit);
    return rest.closed() && rest.text.empty();
}

bool RawClient::silent_for(Duration time) {
    return wire_.wait_for_event(time) == IoStatus::Timeout;
}

std::uint16_t RawClient::local_port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(wire_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

std::string get_request(std::string_view path, std::string_view fields, std::string_view host) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" +
           std::string(fields) + "\r\n";
}

std::string body_request(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view fields, std::string_view host) {
    return std::string(method) + " " + std::string(path) +
           " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) +
           "\r\n" + std::string(body);
}

std::string chunked(std::string_view body, std::size_t size, std::string_view trailers) {
    std::string text;
    while (!body.empty()) {
        const auto part = body.substr(0, size);
        char line[32];
        std::snprintf(line, sizeof line, "%zx\r\n", part.size());
        text.append(line).append(part).append("\r\n");
        body.remove_prefix(part.size());
    }
    return text.append("0\r\n").append(trailers).append("\r\n");
}

Response get_once(std::uint16_t port, std::string_view path, std::string_view fields,
                  std::string_view host) {
    return RawClient(port).get(path, fields, host);
}

}  // namespace proxyd::test
