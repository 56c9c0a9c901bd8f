// How many servers may rest after failures at one time, and that an application's own status
// stays what it was.
#include "support/daemon.hpp"
#include "support/peers.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string config(int servers, const std::string& keys, const std::string& retry) {
    std::string text = "workers: 4\nupstreams:\n  app:\n    servers:\n";
    for (int number = 1; number <= servers; ++number) {
        text += "      - { address: \"127.0.0.1:@UP" + std::to_string(number) +
                "@\", max_fails: 1, fail_timeout: 60s }\n";
    }
    return text + "    retry: " + retry + "\n" + keys + "hosts: { \"*\": app }\n";
}

int count_state(const Daemon& daemon, const std::string& state) {
    int count = 0;
    const Json upstream = upstream_of(daemon);
    for (const auto& peer : upstream["peers"].array()) count += peer["state"].text() == state;
    return count;
}

FakeUpstream::Handler failing() {
    return [](const Request&) { return text_reply("failing", 500); };
}

constexpr auto kListed = "{ on: [error, http_500], attempts: 0 }";

TEST(MaxEjected, HalfOfTheServersByDefault) {
    FakeUpstream a(failing()), b(failing()), c(failing()), d(failing());
    Daemon daemon(config(4, "", kListed), ups(a, b, c, d));
    for (int count = 0; count < 8; ++count) {
        const auto response = get_once(daemon.http(), "/");
        EXPECT_EQ(response.status, 500);
        EXPECT_EQ(response.body, "failing");
    }
    EXPECT_EQ(count_state(daemon, "failed"), 2);
    EXPECT_TRUE(daemon.wait_for_log("max_ejected allows no more to rest"));
}

TEST(MaxEjected, AtLeastOneMayRest) {
    FakeUpstream a(failing()), b(failing()), c(failing());
    Daemon daemon(config(3, "    max_ejected: 10%\n", kListed), ups(a, b, c));
    for (int count = 0; count < 6; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 500);
    EXPECT_EQ(count_state(daemon, "failed"), 1);
}

TEST(MaxEjected, ZeroTakesNobodyOut) {
    FakeUpstream a(failing()), b(failing());
    Daemon daemon(config(2, "    max_ejected: 0%\n", kListed), ups(a, b));
    for (int count = 0; count < 6; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 500);
    EXPECT_EQ(count_state(daemon, "failed"), 0);
    EXPECT_EQ(a.request_count() + b.request_count(), 12);
}

TEST(MaxEjected, TheLastServerStaysWhateverIsAllowed) {
    FakeUpstream a(failing()), b(failing()), c(failing());
    Daemon daemon(config(3, "    max_ejected: 100%\n", kListed), ups(a, b, c));
    for (int count = 0; count < 6; ++count) {
        EXPECT_EQ(get_once(daemon.http(), "/").status, 500) << "never a 502 of our own";
    }
    EXPECT_EQ(count_state(daemon, "failed"), 2);
}

TEST(MaxEjected, AnOrderedDownServerIsNobodyToFallBackOn) {
    FakeUpstream a(failing()), b(failing());
    Daemon daemon(config(2, "    max_ejected: 100%\n", kListed), ups(a, b));
    ASSERT_EQ(daemon.cli({"upstream", "down", "app", daemon.marks().value("UP2")}).exit_code, 0);
    for (int count = 0; count < 4; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 500);
    EXPECT_EQ(peer_state(daemon, 0), "up");
    EXPECT_EQ(b.connections(), 0);
}

// A listed status goes to another server only while there is one in service.
TEST(MaxEjected, AStatusIsRelayedWhenTheOthersAreOutOfService) {
    FakeUpstream a(failing()), b(failing());
    Daemon daemon(config(2, "", "{ on: [http_500] }"), ups(a, b));
    ASSERT_EQ(daemon.cli({"upstream", "drain", "app", daemon.marks().value("UP2")}).exit_code, 0);
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.body, "failing");
}

}  // namespace
}  // namespace proxyd::test
