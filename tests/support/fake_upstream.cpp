#include "support/fake_upstream.hpp"

#include "support/ports.hpp"
#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace proxyd::test {
namespace {

bool has_body(int status, std::string_view method) {
    return method != "HEAD" && status >= 200 && status != 204 && status != 304;
}

std::string head_of(const Reply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Reason\r\n";
    text += reply.headers.to_wire();
    if (reply.framing == Reply::Framing::Chunked) {
        text += "Transfer-Encoding: chunked\r\n";
    } else if (reply.framing == Reply::Framing::Length && reply.status != 204 &&
               reply.status != 304) {
        text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    }
    if (reply.close) {
        text += "Connection: close\r\n";
    }
    return text + "\r\n";
}

std::string wire_text(const Reply& reply, std::string_view method) {
    auto text = head_of(reply);
    if (has_body(reply.status, method)) {
        text += reply.framing == Reply::Framing::Chunked
                    ? chunked(reply.body, 4096, reply.trailers.to_wire())
                    : reply.body;
    }
    return text;
}

int listen_tcp(const std::string& host, std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("fake upstream: bind: " + std::string(std::strerror(errno)));
    }
    return fd;
}

int listen_unix(const std::filesystem::path& socket) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("fake upstream: bind: " + std::string(std::strerror(errno)));
    }
    return fd;
}

}  // namespace

Reply text_reply(std::string body, int status) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

Reply raw_reply(std::string bytes, bool close) {
    Reply reply;
    reply.raw = std::move(bytes);
    reply.close = close;
    return reply;
}

UpstreamConnection::UpstreamConnection(FakeUpstream& upstream, int fd, int number)
    : upstream_(upstream), wire_(fd), number_(number) {}

bool UpstreamConnection::read_request(Request& request, ReadOptions options) {
    if (!read_head(request, options)) {
        return false;
    }
    read_body(request, options);
    return request.complete();
}

bool UpstreamConnection::read_head(Request& request, ReadOptions options) {
    request = Request{};
    request.connection = number_;
    if (read_request_head(wire_, request, options)) {
        upstream_.seen_.change([](auto& seen) { ++seen.heads; });
        return true;
    }
    upstream_.note_garbage(request.raw_head);
    return false;
}

void UpstreamConnection::read_body(Request& request, ReadOptions options) {
    options.keep_body = std::min(options.keep_body, upstream_.options_.keep_body);
    if (equal_ignoring_case(request.headers.value("Expect"), "100-continue")) {
        wire_.send("HTTP/1.1 100 Continue\r\n\r\n");
    }
    read_request_body(wire_, request, options);
    if (request.complete()) {
        upstream_.note_request(request);
    } else {
        upstream_.seen_.change([](auto& seen) { ++seen.aborted; });
    }
}

IoStatus UpstreamConnection::send(std::string_view bytes, Duration limit) {
    return wire_.send(bytes, limit);
}

IoStatus UpstreamConnection::drip(std::string_view bytes, Duration tick) {
    for (const char byte : bytes) {
        const auto status = wire_.send({&byte, 1});
        if (status != IoStatus::Ok) {
            return status;
        }
        if (!pause(tick)) {
            return IoStatus::Eof;
        }
    }
    return IoStatus::Ok;
}

IoStatus UpstreamConnection::reply(const Reply& reply, std::string_view method) {
    return wire_.send(reply.raw.empty() ? wire_text(reply, method) : reply.raw);
}

bool UpstreamConnection::wait_for_close(Duration limit) {
    const auto status = wire_.wait_for_close(limit);
    const bool closed = status != IoStatus::Timeout && !upstream_.stopping_;
    if (closed) {
        upstream_.seen_.change([](auto& seen) { ++seen.aborted; });
    }
    return closed;
}

bool UpstreamConnection::pause(Duration time) {
    pollfd entry{wire_.fd(), POLLRDHUP, 0};
    return ::poll(&entry, 1, static_cast<int>(time.count())) == 0;
}

void UpstreamConnection::reset() {
    const std::lock_guard lock(upstream_.mutex_);
    wire_.reset();
}

void UpstreamConnection::close() {
    const std::lock_guard lock(upstream_.mutex_);
    wire_.close();
}

FakeUpstream::FakeUpstream() : FakeUpstream([](const Request&) { return text_reply("ok"); }) {}

FakeUpstream::FakeUpstream(Handler handler, Options options)
    : handler_(std::move(handler)), options_(std::move(options)) {
    listen();
}

FakeUpstream::FakeUpstream(Script script, Options options, bool /*scripted*/)
    : script_(std::move(script)), options_(std::move(options)) {
    listen();
}

FakeUpstream::~FakeUpstream() {
    stop();
}

std::unique_ptr<FakeUpstream> FakeUpstream::scripted(Script script, Options options) {
    return std::unique_ptr<FakeUpstream>(
        new FakeUpstream(std::move(script), std::move(options), true));
}

std::string FakeUpstream::address() const {
    return options_.socket.empty() ? options_.host + ":" + std::to_string(port_)
                                   : "unix:" + options_.socket.string();
}

std::vector<Request> FakeUpstream::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

Request FakeUpstream::request(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    if (index >= requests_.size()) {
        throw std::runtime_error("the upstream saw only " + std::to_string(requests_.size()) +
                                 " requests");
    }
    return requests_[index];
}

Request FakeUpstream::last_request() const {
    const std::lock_guard lock(mutex_);
    if (requests_.empty()) {
        throw std::runtime_error("the upstream saw no request");
    }
    return requests_.back();
}

std::string FakeUpstream::garbage() const {
    const std::lock_guard lock(mutex_);
    return garbage_;
}

bool FakeUpstream::wait_for_requests(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.complete >= count; }, limit);
}

bool FakeUpstream::wait_for_heads(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.heads >= count; }, limit);
}

bool FakeUpstream::wait_for_connections(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.accepted >= count; }, limit);
}

bool FakeUpstream::wait_for_aborted(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.aborted >= count; }, limit);
}

bool FakeUpstream::wait_for_open(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.open <= count; }, limit);
}

void FakeUpstream::drop_connections() {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& connection : live_) {
            connection.wire_.interrupt();
        }
    }
    static_cast<void>(wait_for_open(0));
}

void FakeUpstream::stop() {
    if (stopping_.exchange(true)) {
        return;
    }
    ::shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(listen_fd_);
    {
        const std::lock_guard lock(mutex_);
        for (const auto& connection : live_) {
            connection.wire_.interrupt();
        }
    }
    for (auto& thread : threads_) {
        thread.join();
    }
}

void FakeUpstream::listen() {
    if (options_.socket.empty()) {
        port_ = options_.port != 0 ? options_.port : claim_port();
        listen_fd_ = listen_tcp(options_.host, port_);
    } else {
        listen_fd_ = listen_unix(options_.socket);
    }
    if (options_.receive_buffer > 0) {
        ::setsockopt(listen_fd_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer,
                     sizeof options_.receive_buffer);
    }
    ::listen(listen_fd_, 1024);
    acceptor_ = std::thread([this] { accept_loop(); });
}

void FakeUpstream::accept_loop() {
    int number = 0;
    while (!stopping_) {
        const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        seen_.change([](Seen& seen) {
            ++seen.accepted;
            ++seen.open;
        });
        const std::lock_guard lock(mutex_);
        auto& connection = live_.emplace_back(*this, fd, ++number);
        threads_.emplace_back([this, &connection] { run(connection); });
    }
}

void FakeUpstream::run(UpstreamConnection& connection) {
    if (script_) {
        script_(connection);
    } else {
        serve(connection);
    }
    {
        const std::lock_guard lock(mutex_);
        connection.wire_.close();
        live_.remove_if([&](const auto& each) { return &each == &connection; });
    }
    seen_.change([](Seen& seen) { --seen.open; });
}

void FakeUpstream::serve(UpstreamConnection& connection) {
    ReadOptions options;
    options.limit = std::chrono::minutes(5);
    Request request;
    while (connection.read_request(request, options)) {
        const auto reply = handler_(request);
        if (connection.reply(reply, request.method) != IoStatus::Ok) {
            seen_.change([](Seen& seen) { ++seen.aborted; });
            return;
        }
        if (reply.close || reply.framing == Reply::Framing::UntilClose ||
            equal_ignoring_case(request.headers.value("Connection"), "close")) {
            return;
        }
    }
}

void FakeUpstream::note_request(const Request& request) {
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    seen_.change([](Seen& seen) { ++seen.complete; });
}

void FakeUpstream::note_garbage(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    garbage_ += bytes;
}

}  // namespace proxyd::test
