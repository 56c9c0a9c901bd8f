// The origin of the benchmark: one thread, raw epoll, answers prepared before the first request,
// so that it never is what limits a run.
//
//   GET .../<n>   n bytes (any path that ends in a number; at most 16 MiB)
//   GET /echo     the request head as it arrived, to see what a proxy sends
//   GET /stats    connections accepted and requests answered so far
//
// It ends by itself: after --seconds, and when the process that started it dies.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kMaxBody = 16 * 1024 * 1024;
constexpr int kEvents = 512;

struct Options {
    std::uint32_t addresses = 1;  // from 127.0.0.1 on, all with the same port
    int port = 0;
    long seconds = 600;
};

// A whole answer in one piece: one send() for head and body.
struct Answer {
    std::size_t size = 0;  // of the body; what a request asks for
    std::string bytes;
};

struct Connection {
    int fd = -1;
    std::string input;            // only what is left of an incomplete request
    std::size_t skip_body = 0;    // bytes of a request body still to be thrown away
    std::string_view output;      // what the kernel did not take yet
    std::unique_ptr<Answer> own;  // keeps the output of /echo and /stats alive
    bool close_after = false;
    bool waits_for_write = false;
};

struct Request {
    std::string_view method;
    std::string_view path;
    std::size_t body_size = 0;
    bool close = false;
    bool valid = false;
};

std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text.data();
}

// What a proxy with a cache may keep; 0: nothing.
long max_age = 0;

Answer make_answer(std::string_view status, std::string_view body) {
    Answer answer;
    answer.size = body.size();
    answer.bytes = "HTTP/1.1 " + std::string(status) +
                   "\r\n"
                   "Date: " +
                   http_date() +
                   "\r\n"
                   "Server: bench-origin\r\n"
                   "Content-Type: text/plain; charset=utf-8\r\n"
                   "Content-Length: " +
                   std::to_string(body.size()) +
                   "\r\n"
                   "Last-Modified: Mon, 06 Jan 2025 10:00:00 GMT\r\n"
                   "ETag: \"677ba8f0-" +
                   std::to_string(body.size()) +
                   "\"\r\n"
                   "Cache-Control: " +
                   (max_age == 0 ? "private" : "public") + ", max-age=" + std::to_string(max_age) +
                   "\r\n"
                   "X-Content-Type-Options: nosniff\r\n"
                   "\r\n";
    answer.bytes += body;
    return answer;
}

std::string make_body(std::size_t size) {
    constexpr std::string_view kPattern = "abcdefghijklmnopqrstuvwxyz0123456789-origin-body\n";
    std::string body;
    body.reserve(size);
    while (body.size() < size) body += kPattern.substr(0, size - body.size());
    return body;
}

bool equals_ignoring_case(std::string_view left, std::string_view lower) {
    return left.size() == lower.size() && strncasecmp(left.data(), lower.data(), lower.size()) == 0;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

std::optional<std::size_t> to_number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Looks only at what changes the framing: Content-Length and Connection, both with a 'c' in front.
void read_field(std::string_view line, Request& request) {
    if (line.empty() || (line[0] | 0x20) != 'c') return;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-length")) {
        request.body_size = to_number(value).value_or(0);
    } else if (equals_ignoring_case(name, "connection")) {
        request.close = equals_ignoring_case(value, "close");
    }
}

Request parse_head(std::string_view head) {
    Request request;
    const std::size_t line_end = head.find('\n');
    const std::string_view line = trim(head.substr(0, line_end));
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last <= first) return request;
    request.method = line.substr(0, first);
    request.path = line.substr(first + 1, last - first - 1);
    request.close = line.substr(last + 1) == "HTTP/1.0";
    request.valid = true;
    for (head.remove_prefix(line_end + 1); !head.empty();) {
        const std::size_t end = head.find('\n');
        if (end == std::string_view::npos) break;
        read_field(head.substr(0, end), request);
        head.remove_prefix(end + 1);
    }
    return request;
}

class Origin {
  public:
    explicit Origin(const Options& options) : options_(options), buffer_(kReadSize) {
        for (const std::size_t size : {128U, 1024U, 65536U, 1048576U}) find_answer(size);
    }

    int run() {
        if (!listen()) return 1;
        const std::time_t end = std::time(nullptr) + options_.seconds;
        std::array<epoll_event, kEvents> events{};
        std::time_t now = std::time(nullptr);
        while (now < end) {
            const int count = epoll_wait(epoll_, events.data(), kEvents, 1000);
            if (count < 0 && errno != EINTR) return 1;
            if (const std::time_t later = std::time(nullptr); later != now) {
                now = later;
                refresh_dates();
            }
            for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
        }
        return 0;
    }

  private:
    bool listen() {
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        for (std::uint32_t i = 0; i < options_.addresses; ++i) {
            if (!listen_on(INADDR_LOOPBACK + i)) return false;
        }
        std::printf("%d\n", options_.port);
        std::fflush(stdout);
        return true;
    }

    bool listen_on(std::uint32_t ip) {
        const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(ip);
        address.sin_port = htons(static_cast<in_port_t>(options_.port));
        socklen_t length = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (bind(listener, generic, length) < 0 || ::listen(listener, 4096) < 0) {
            std::perror("origin: listen");
            return false;
        }
        getsockname(listener, generic, &length);
        options_.port = ntohs(address.sin_port);
        epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
        listeners_.push_back(listener);
        return true;
    }

    void handle(const epoll_event& event) {
        auto* connection = static_cast<Connection*>(event.data.ptr);
        if (connection == nullptr) {
            for (const int listener : listeners_) accept_all(listener);
        } else if ((event.events & EPOLLOUT) != 0) {
            if (flush(*connection)) serve(*connection, {});
        } else {
            read(*connection);
        }
    }

    void accept_all(int listener) {
        for (;;) {
            const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            const int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            auto* connection = new Connection{};
            connection->fd = fd;
            epoll_event event{.events = EPOLLIN, .data = {.ptr = connection}};
            epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
            ++connections_;
        }
    }

    void read(Connection& connection) {
        const ssize_t got = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
        if (got > 0) {
            serve(connection, {buffer_.data(), static_cast<std::size_t>(got)});
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            drop(connection);
        }
    }

    // Answers every complete request of the input. While an answer waits for the kernel the rest
    // stays in connection.input and nothing more is read.
    void serve(Connection& connection, std::string_view fresh) {
        std::string joined;
        if (!connection.input.empty()) {
            joined = std::move(connection.input);
            joined += fresh;
            connection.input.clear();
            fresh = joined;
        }
        while (!fresh.empty()) {
            const std::size_t skipped = std::min(connection.skip_body, fresh.size());
            connection.skip_body -= skipped;
            fresh.remove_prefix(skipped);
            const std::size_t end = fresh.find("\r\n\r\n");
            if (end == std::string_view::npos) break;
            const std::string_view head = fresh.substr(0, end + 4);
            fresh.remove_prefix(head.size());
            const Outcome outcome = answer(connection, head);
            if (outcome == Outcome::kGone) return;
            if (outcome == Outcome::kWaits) break;
        }
        if (fresh.size() > kMaxHead && connection.output.empty()) {
            drop(connection);
            return;
        }
        connection.input = fresh;
    }

    enum class Outcome { kSent, kWaits, kGone };

    Outcome answer(Connection& connection, std::string_view head) {
        const Request request = parse_head(head);
        ++requests_;
        connection.close_after = request.close || !request.valid;
        connection.skip_body = request.body_size;
        const Answer& chosen = choose(connection, request, head);
        connection.output = chosen.bytes;
        if (request.method == "HEAD") connection.output.remove_suffix(chosen.size);
        if (!flush(connection)) return Outcome::kGone;
        return connection.output.empty() ? Outcome::kSent : Outcome::kWaits;
    }

    const Answer& choose(Connection& connection, const Request& request, std::string_view head) {
        const std::string_view path = request.path.substr(0, request.path.find('?'));
        if (path == "/echo") return own(connection, "200 OK", head);
        if (path == "/stats") {
            return own(connection, "200 OK",
                       "connections " + std::to_string(connections_) + "\nrequests " +
                           std::to_string(requests_) + "\n");
        }
        const auto size = to_number(path.substr(path.rfind('/') + 1));
        if (!request.valid) return own(connection, "400 Bad Request", "not a request\n");
        if (!size || *size > kMaxBody) return own(connection, "404 Not Found", "ask for /b/<n>\n");
        return find_answer(*size);
    }

    static const Answer& own(Connection& connection, std::string_view status,
                             std::string_view body) {
        connection.own = std::make_unique<Answer>(make_answer(status, body));
        return *connection.own;
    }

    // A handful of sizes at most, so a walk beats a map; a deque keeps the views valid.
    const Answer& find_answer(std::size_t size) {
        for (const Answer& answer : answers_) {
            if (answer.size == size) return answer;
        }
        return answers_.emplace_back(make_answer("200 OK", make_body(size)));
    }

    void refresh_dates() {
        const std::string date = http_date();
        for (Answer& answer : answers_) {
            constexpr std::string_view kBefore = "HTTP/1.1 200 OK\r\nDate: ";
            std::memcpy(answer.bytes.data() + kBefore.size(), date.data(), date.size());
        }
    }

    // False when the connection is gone.
    bool flush(Connection& connection) {
        while (!connection.output.empty()) {
            const ssize_t sent = send(connection.fd, connection.output.data(),
                                      connection.output.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno == EAGAIN) {
                watch(connection, true);
                return true;
            }
            if (sent < 0) {
                drop(connection);
                return false;
            }
            connection.output.remove_prefix(static_cast<std::size_t>(sent));
        }
        if (connection.close_after) {
            drop(connection);
            return false;
        }
        watch(connection, false);
        return true;
    }

    void watch(Connection& connection, bool write) {
        if (connection.waits_for_write == write) return;
        connection.waits_for_write = write;
        epoll_event event{.events = write ? EPOLLOUT : EPOLLIN, .data = {.ptr = &connection}};
        epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
    }

    // One epoll entry per connection, so no later event of this batch can name it.
    static void drop(Connection& connection) {
        close(connection.fd);
        delete &connection;
    }

    Options options_;
    std::vector<int> listeners_;
    int epoll_ = -1;
    unsigned long connections_ = 0;
    unsigned long requests_ = 0;
    std::vector<char> buffer_;
    std::deque<Answer> answers_;
};

bool parse_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        const auto value = i + 1 < argc ? to_number(argv[i + 1]) : std::nullopt;
        if (!value) return false;
        if (name == "--port" && *value < 65536) {
            options.port = static_cast<int>(*value);
        } else if (name == "--addresses" && *value >= 1 && *value <= 254) {
            options.addresses = static_cast<std::uint32_t>(*value);
        } else if (name == "--max-age") {
            max_age = static_cast<long>(*value);
        } else if (name == "--seconds") {
            options.seconds = static_cast<long>(*value);
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) return 1;  // it died before we asked to be told
    Options options;
    if (!parse_options(argc, argv, options)) {
        std::fprintf(stderr, "usage: bench_origin [--port N] [--addresses N] [--seconds N]\n");
        return 2;
    }
    return Origin(options).run();
}
