// Descriptors run out: accept rests without spinning, what is connected goes on, recovery comes
// by itself.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <deque>
#include <sstream>
#include <thread>

namespace proxyd::test {
namespace {

TEST(Descriptors, ExhaustionNeitherSpinsNorBreaksAndEnds) {
    FakeUpstream upstream;
    DaemonOptions options;
    options.max_files = 200;
    Daemon daemon(
        "client: { header_timeout: 60s, keepalive_timeout: 60s }\n"
        "hosts: { \"*\": @UP1@ }\n",
        ups(upstream), options);
    RawClient early(daemon.http());
    ASSERT_EQ(early.get("/").status, 200);
    std::deque<RawClient> crowd;
    for (int count = 0; count < 400; ++count) crowd.emplace_back(daemon.http());
    // The limit is reached when the number of open files has come to rest.
    std::size_t before = 0;
    ASSERT_TRUE(eventually([&] {
        const auto now = daemon.open_files();
        const bool still = now == before && now > 100;
        before = now;
        std::this_thread::sleep_for(Duration(100));
        return still;
    }));
    EXPECT_LE(before, 200U);
    const auto cpu = daemon.cpu_seconds();
    std::this_thread::sleep_for(Duration(1000));
    EXPECT_LT(daemon.cpu_seconds() - cpu, 0.08) << "the daemon spins";
    // A reserve is there for the upstream, also for a connection that must be new.
    upstream.drop_connections();
    EXPECT_EQ(early.get("/").status, 200);
    EXPECT_EQ(early.get("/").status, 200);
    EXPECT_GE(daemon.wait_for_access(3).size(), 3U);
    crowd.clear();
    EXPECT_TRUE(eventually([&] {
        ClientOptions quick;
        quick.limit = Duration(1000);
        return RawClient(daemon.http(), quick).get("/").status == 200;
    })) << "no recovery";
}

TEST(Descriptors, SoftLimitIsRaisedToTheHardOne) {
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
    const rlimit lowered{256, old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lowered);
    Daemon daemon("hosts: { app.test: { return: 200 } }\n");
    ::setrlimit(RLIMIT_NOFILE, &old);
    const auto limits = read_file("/proc/" + std::to_string(daemon.pid()) + "/limits");
    const auto at = limits.find("Max open files");
    ASSERT_NE(at, std::string::npos);
    std::istringstream line(limits.substr(at + 14));
    std::string soft;
    std::string hard;
    line >> soft >> hard;
    EXPECT_EQ(soft, hard);
}

}  // namespace
}  // namespace proxyd::test
