#include "daemon/sd_notify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string>

namespace proxyd::daemon {
namespace {

/// The service manager's end: a datagram socket with that name ('@' = abstract).
class Manager {
  public:
    explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        if (name.front() == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    }
    ~Manager() { ::close(fd_); }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    [[nodiscard]] std::string next() const {
        std::array<char, 512> text{};
        const ssize_t size = ::recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
        return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
    }

  private:
    int fd_;
};

TEST(SdNotify, words_arrive_at_a_path_and_at_an_abstract_name) {
    const std::string path = "/tmp/proxyd-notify-" + std::to_string(::getpid());
    for (const std::string& name : {path, "@proxyd-test-" + std::to_string(::getpid())}) {
        const Manager manager(name);
        const SdNotify notify(name);
        notify.ready("serving");
        EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving\n");
        notify.stopping();
        EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=stopping\n");
        notify.watchdog();
        EXPECT_EQ(manager.next(), "WATCHDOG=1\n");
    }
    ::unlink(path.c_str());
}

TEST(SdNotify, a_reload_carries_the_monotonic_time) {
    const std::string name = "@proxyd-reload-" + std::to_string(::getpid());
    const Manager manager(name);
    SdNotify(name).reloading();
    const std::string message = manager.next();
    const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_THAT(message, ::testing::StartsWith(start));
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto sent = std::stoll(message.substr(start.size()));
    EXPECT_NEAR(static_cast<double>(sent) / 1e6, static_cast<double>(now.tv_sec), 5.0);
}

TEST(SdNotify, without_a_manager_nothing_happens) {
    SdNotify("").ready("x");
    SdNotify("/nowhere/at/all").ready("x");
    SdNotify(std::string(300, 'x')).ready("x");
}

TEST(SdNotify, the_watchdog_limit_is_for_this_process_only) {
    ::unsetenv("WATCHDOG_PID");
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(SdNotify::watchdog_limit(), std::chrono::seconds(30));
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(SdNotify::watchdog_limit());
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_TRUE(SdNotify::watchdog_limit());
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_FALSE(SdNotify::watchdog_limit());
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace proxyd::daemon
