#include "daemon/sd_notify.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace proxyd::daemon {
namespace {

std::string_view environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

std::int64_t monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

SdNotify::SdNotify() : SdNotify(std::string(environment("NOTIFY_SOCKET"))) {}

SdNotify::SdNotify(std::string socket) : socket_(std::move(socket)) {
    connect();
}

void SdNotify::ready(std::string_view status) const {
    send(fmt::format("READY=1\nSTATUS={}\n", status));
}

void SdNotify::reloading() const {
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_usec()));
}

void SdNotify::stopping() const {
    send("STOPPING=1\nSTATUS=stopping\n");
}

void SdNotify::watchdog() const {
    send("WATCHDOG=1\n");
}

std::optional<std::chrono::microseconds> SdNotify::watchdog_limit() {
    const std::int64_t usec = number(environment("WATCHDOG_USEC"));
    const std::string_view pid = environment("WATCHDOG_PID");
    if (usec <= 0 || (!pid.empty() && number(pid) != ::getpid())) return std::nullopt;
    return std::chrono::microseconds(usec);
}

void SdNotify::connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fd_.reset();
}

void SdNotify::send(const std::string& message) const {
    const auto sent = [&] {
        return ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
    };
    if (sent()) return;
    connect();  // the manager may have opened its socket anew
    (void)sent();
}

}  // namespace proxyd::daemon
