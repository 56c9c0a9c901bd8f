#include "support/notify_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace proxyd::test {

bool has_line(std::string_view message, std::string_view line) {
    return message.starts_with(line) ||
           message.find("\n" + std::string(line)) != std::string_view::npos;
}

NotifySocket::NotifySocket(std::filesystem::path path) : path_(std::move(path)) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("notify socket: " + std::string(std::strerror(errno)));
    }
    std::filesystem::permissions(path_, std::filesystem::perms::all);
    reader_ = std::jthread([this](const std::stop_token& stop) { read_loop(stop); });
}

NotifySocket::~NotifySocket() {
    reader_.request_stop();
    ::shutdown(fd_, SHUT_RDWR);
    reader_.join();
    ::close(fd_);
}

bool NotifySocket::wait_for(std::string_view line, Duration limit, int count) {
    return messages_.wait(
        [&](const auto& messages) {
            return std::ranges::count_if(
                       messages, [&](const auto& each) { return has_line(each, line); }) >= count;
        },
        limit);
}

void NotifySocket::read_loop(const std::stop_token& stop) {
    char bytes[4096];
    while (!stop.stop_requested()) {
        pollfd entry{fd_, POLLIN, 0};
        if (::poll(&entry, 1, 100) == 1) {
            const auto count = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
            if (count > 0) {
                messages_.change([&](auto& messages) { messages.emplace_back(bytes, count); });
            }
        }
    }
}

}  // namespace proxyd::test
