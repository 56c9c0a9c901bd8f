#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "proxyd/base/descriptor.hpp"
#include "proxyd/server/control.hpp"

namespace proxyd::server {
namespace {

using Clock = std::chrono::steady_clock;

Error failure(const std::string& path, const std::string& what) {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "control socket " + path + ": " + what);
}

/// False when the moment has passed.
bool wait_for(int fd, short events, Clock::time_point until) {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

bool connected(int fd, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Everything up to the end of the stream; false when the moment passed before it.
bool read_all(int fd, std::string& into, Clock::time_point until) {
    std::array<char, 16 * 1024> piece;
    for (;;) {
        const ssize_t count = ::recv(fd, piece.data(), piece.size(), 0);
        if (count > 0) into.append(piece.data(), static_cast<std::size_t>(count));
        if (count == 0 || (count < 0 && errno == ECONNRESET)) return true;
        if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (count < 0 && !wait_for(fd, POLLIN, until)) return false;
    }
}

Result<ControlReply> parse(const std::string& path, const std::string& answer) {
    ControlReply reply;
    const char* const end = answer.data() + answer.size();
    const auto [rest, error] = std::from_chars(answer.data(), end, reply.exit_code);
    if (error != std::errc() || rest == end || *rest != '\n') {
        return failure(path, "the process closed the connection without an answer");
    }
    reply.text.assign(rest + 1, end);
    return reply;
}

}  // namespace

Result<ControlReply> control_call(const std::string& path, const std::string& line,
                                  std::chrono::milliseconds limit) {
    if (path.size() > 107) return failure(path, "the path is too long");
    const auto until = Clock::now() + limit;
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!connected(socket.get(), path)) return failure(path, std::strerror(errno));
    const std::string request = line + "\n";
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
        return failure(path, std::strerror(errno));
    }
    std::string answer;
    if (!read_all(socket.get(), answer, until)) {
        return failure(path, "no answer within " + std::to_string(limit.count()) + " ms");
    }
    return parse(path, answer);
}

}  // namespace proxyd::server
