// Which server of an upstream gets the request: weights, backup, down, max_fails.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

// The bodies of `count` answers, each from a connection of its own (so from any worker).
std::string sequence(Daemon& daemon, int count) {
    std::string text;
    for (int number = 0; number < count; ++number) text += get_once(daemon.http(), "/").body;
    return text;
}

TEST(RoundRobin, SmoothSequenceOfWeights311IsSharedByAllWorkers) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    FakeUpstream three(named("3"));
    Daemon daemon(R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", weight: 3 }
      - "127.0.0.1:@UP2@"
      - "127.0.0.1:@UP3@"
hosts:
  "*": app
)",
                  ups(one, two, three));
    EXPECT_EQ(sequence(daemon, 15), "121311213112131");
}

TEST(RoundRobin, EqualServersTakeTurnsInFileOrder) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    FakeUpstream three(named("3"));
    Daemon daemon(R"(
upstreams:
  app: { servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@", "127.0.0.1:@UP3@"] }
hosts:
  "*": app
)",
                  ups(one, two, three));
    EXPECT_EQ(sequence(daemon, 9), "123123123");
}

TEST(PeerChoice, DownServerGetsNothing) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(R"(
upstreams:
  app: { servers: ["127.0.0.1:@UP1@", { address: "127.0.0.1:@UP2@", down: true }] }
hosts:
  "*": app
)",
                  ups(one, two));
    EXPECT_EQ(sequence(daemon, 6), "111111");
    EXPECT_EQ(two.connections(), 0);
}

TEST(PeerChoice, BackupServesOnlyWhenNoOtherCan) {
    FakeUpstream one(named("1"));
    FakeUpstream spare(named("b"));
    Daemon daemon(R"(
upstreams:
  app: { servers: ["127.0.0.1:@UP1@", { address: "127.0.0.1:@UP2@", backup: true }] }
hosts:
  "*": app
)",
                  ups(one, spare));
    EXPECT_EQ(sequence(daemon, 4), "1111");
    EXPECT_EQ(spare.connections(), 0);
    one.stop();
    EXPECT_EQ(sequence(daemon, 4), "bbbb");
}

TEST(PeerChoice, NoServerThatCanServeIs502AtOnce) {
    FakeUpstream one(named("1"));
    Daemon daemon(R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", down: true }
      - { address: "127.0.0.1:@DEAD@", backup: true }
hosts:
  "*": app
)",
                  ups(one));
    const auto start = Clock::now();
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_LT(Clock::now() - start, Duration(2000));
    EXPECT_EQ(one.connections(), 0);
    EXPECT_NE(daemon.access(0)["reason"].text(), "");
}

// Counts the connections a failing server gets: it hangs up on every one.
TEST(MaxFails, ServerIsOutForItsTimeAndThenTriedAgain) {
    std::atomic<bool> healthy = false;
    const auto flaky = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request) && healthy) connection.reply(text_reply("f"));
    });
    FakeUpstream good(named("g"));
    Daemon daemon(R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", max_fails: 2, fail_timeout: 1s }
      - "127.0.0.1:@UP2@"
hosts:
  "*": app
)",
                  ups(*flaky, good));
    EXPECT_EQ(sequence(daemon, 20), std::string(20, 'g'));
    EXPECT_EQ(flaky->connections(), 2);
    healthy = true;
    EXPECT_TRUE(eventually([&] { return get_once(daemon.http(), "/").body == "f"; }));
}

TEST(MaxFails, ZeroNeverTakesAServerOut) {
    const auto flaky = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        connection.read_request(request);
    });
    FakeUpstream good(named("g"));
    Daemon daemon(R"(
upstreams:
  app: { servers: [{ address: "127.0.0.1:@UP1@", max_fails: 0 }, "127.0.0.1:@UP2@"] }
hosts:
  "*": app
)",
                  ups(*flaky, good));
    EXPECT_EQ(sequence(daemon, 20), std::string(20, 'g'));
    EXPECT_GE(flaky->connections(), 5);
}

TEST(MaxFails, ALoneServerIsNeverTakenOut) {
    std::atomic<bool> healthy = false;
    const auto flaky = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request) && healthy) connection.reply(text_reply("f"));
    });
    Daemon daemon(R"(
upstreams:
  app: { servers: [{ address: "127.0.0.1:@UP1@", max_fails: 1, fail_timeout: 60s }] }
hosts:
  "*": app
)",
                  ups(*flaky));
    for (int count = 0; count < 5; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    healthy = true;
    EXPECT_EQ(get_once(daemon.http(), "/").body, "f");
}

TEST(MaxFails, StatusesDoNotCountUnlessListed) {
    FakeUpstream failing([](const Request&) { return text_reply("5", 500); });
    FakeUpstream good(named("g"));
    Daemon daemon(R"(
upstreams:
  app:
    servers: [{ address: "127.0.0.1:@UP1@", max_fails: 1, fail_timeout: 60s }, "127.0.0.1:@UP2@"]
hosts:
  "*": app
)",
                  ups(failing, good));
    EXPECT_EQ(sequence(daemon, 6), "5g5g5g");
}

TEST(PeerChoice, PlainPortHasAPoolAndHostPortFormsWork) {
    FakeUpstream upstream(named("u"));
    for (const std::string form : {"@UP1@", "127.0.0.1:@UP1@", "http://127.0.0.1:@UP1@"}) {
        SCOPED_TRACE(form);
        const int before = upstream.connections();
        Daemon daemon("workers: 1\nhosts:\n  \"*\": \"" + form + "\"\n", ups(upstream));
        EXPECT_EQ(sequence(daemon, 3), "uuu");
        EXPECT_EQ(upstream.connections(), before + 1);
    }
}

}  // namespace
}  // namespace proxyd::test
