// What the service manager is told.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <csignal>

namespace proxyd::test {
namespace {

constexpr auto kConfig = "hosts: { app.test: { return: 200 } }\n";

long long monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

TEST(Notify, ReadyComesWhenTheListenersAreOpen) {
    Daemon daemon(kConfig);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(daemon.notify().wait_for("READY=1"));
}

TEST(Notify, ReloadingCarriesTheMonotonicTimeAndIsFollowedByReady) {
    Daemon daemon(kConfig);
    const auto before = monotonic_usec();
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.notify().wait_for("RELOADING=1"));
    ASSERT_TRUE(daemon.notify().wait_for("READY=1", kLimit, 2));
    const auto after = monotonic_usec();
    for (const auto& message : daemon.notify().messages()) {
        if (!has_line(message, "RELOADING=1")) continue;
        const auto at = message.find("MONOTONIC_USEC=");
        ASSERT_NE(at, std::string::npos) << message;
        const auto told = std::stoll(message.substr(at + 15));
        EXPECT_GE(told, before - 1'000'000);
        EXPECT_LE(told, after);
    }
}

TEST(Notify, RefusedReloadEndsWithReadyToo) {
    Daemon daemon(kConfig);
    daemon.write_config("hots: {}\n");
    daemon.signal(SIGHUP);
    EXPECT_TRUE(daemon.wait_for_log("unknown key 'hots'"));
    const auto count = [&](std::string_view line) {
        return std::ranges::count_if(daemon.notify().messages(),
                                     [&](const auto& message) { return has_line(message, line); });
    };
    EXPECT_TRUE(eventually([&] { return count("READY=1") == count("RELOADING=1") + 1; }));
}

TEST(Notify, StoppingIsToldAtTheEnd) {
    for (const int number : {SIGQUIT, SIGTERM}) {
        SCOPED_TRACE(number);
        Daemon daemon(kConfig);
        daemon.signal(number);
        EXPECT_TRUE(daemon.notify().wait_for("STOPPING=1"));
        EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
    }
}

TEST(Notify, ARefusedStartIsNeverReady) {
    DaemonOptions options;
    options.wait_ready = false;
    Daemon daemon("hots: {}\n", {}, options);
    EXPECT_EQ(daemon.wait_exit().code, 78);
    EXPECT_TRUE(daemon.notify().messages().empty());
}

}  // namespace
}  // namespace proxyd::test
