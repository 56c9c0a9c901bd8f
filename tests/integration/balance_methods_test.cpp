// Each way to choose, on the wire. The choices of the hashes are nginx's for the same weights.
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <set>

namespace proxyd::test {
namespace {

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

/// Answers `name`, but a request for /slow only when the gate is open.
FakeUpstream::Handler gated(std::string name, Gate& gate) {
    return [name, &gate](const Request& request) {
        if (request.target == "/slow") (void)gate.wait();
        return text_reply(name);
    };
}

std::string servers_3121(const std::string& keys) {
    return R"(
trusted_proxies: [127.0.0.0/8]
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", weight: 3 }
      - "127.0.0.1:@UP2@"
      - { address: "127.0.0.1:@UP3@", weight: 2 }
      - "127.0.0.1:@UP4@"
    )" + keys +
           "\nhosts: { \"*\": app }\n";
}

struct Four {
    FakeUpstream one{named("1")}, two{named("2")}, three{named("3")}, four{named("4")};
    Marks marks() { return ups(one, two, three, four); }
};

TEST(LeastConn, ABusyServerIsLeftAloneByAllWorkers) {
    for (const std::string balance : {"least_conn", "random_two"}) {
        SCOPED_TRACE(balance);
        Gate gate;
        FakeUpstream one(gated("1", gate)), two(gated("2", gate));
        Daemon daemon("upstreams:\n  app:\n    balance: " + balance + R"(
    servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@"]
hosts: { "*": app }
)",
                      ups(one, two));
        RawClient slow(daemon.http());
        slow.send(get_request("/slow"));
        ASSERT_TRUE(eventually([&] { return one.heads() + two.heads() == 1; }));
        const std::string idle = one.heads() == 1 ? "2" : "1";
        for (int count = 0; count < 8; ++count) {
            EXPECT_EQ(get_once(daemon.http(), "/").body, idle);
        }
        gate.open();
        EXPECT_EQ(slow.read_response().status, 200);
    }
}

TEST(LeastConn, IdleItIsTheSmoothSequence) {
    Four up;
    Daemon daemon(servers_3121("balance: least_conn"), up.marks());
    std::string text;
    for (int count = 0; count < 14; ++count) text += get_once(daemon.http(), "/").body;
    EXPECT_EQ(text, "13214311321431");
}

TEST(HashChoice, FollowsTheKeyAsNginxDoes) {
    Four up;
    Daemon daemon(servers_3121("balance: hash\n    hash: $arg_k"), up.marks());
    std::string text;
    for (int number = 0; number < 12; ++number) {
        text += get_once(daemon.http(), "/x?k=key" + std::to_string(number)).body;
    }
    EXPECT_EQ(text, "112213324313");
}

TEST(HashChoice, AConsistentOneMovesOnlyTheKeysOfAServerThatDied) {
    Four up;
    Daemon daemon(servers_3121("balance: hash\n    hash: { key: $arg_k, consistent: true }"),
                  up.marks());
    const auto of = [&](int number) {
        return get_once(daemon.http(), "/x?k=" + std::to_string(number)).body;
    };
    std::vector<std::string> before;
    for (int number = 0; number < 60; ++number) before.push_back(of(number));
    EXPECT_EQ(std::set<std::string>(before.begin(), before.end()).size(), 4U);
    up.three.stop();
    for (int number = 0; number < 60; ++number) {
        const std::string now = of(number);
        const std::string& then = before[static_cast<std::size_t>(number)];
        EXPECT_TRUE(then == "3" ? now != "3" && !now.empty() : now == then) << number;
    }
}

TEST(HashChoice, BackupsTakeOver) {
    Four up;
    FakeUpstream spare(named("b"));
    Marks marks = up.marks();
    marks.set("SPARE", std::to_string(spare.port()));
    Daemon daemon(R"(
upstreams:
  app:
    balance: hash
    hash: { key: $request_uri, consistent: on }
    servers: ["127.0.0.1:@UP1@", { address: "127.0.0.1:@SPARE@", backup: true }]
hosts: { "*": app }
)",
                  std::move(marks));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "1");
    up.one.stop();
    EXPECT_EQ(get_once(daemon.http(), "/").body, "b");
}

TEST(IpHashChoice, FollowsTheClientBehindATrustedProxyAsNginxDoes) {
    Four up;
    Daemon daemon(servers_3121("balance: ip_hash"), up.marks());
    std::string text;
    for (int i = 0; i < 12; ++i) {
        const std::string address = "10." + std::to_string(i * 7) + "." +
                                    std::to_string(i * 31 % 256) + "." + std::to_string(i);
        text += get_once(daemon.http(), "/", "X-Forwarded-For: " + address + "\r\n").body;
    }
    EXPECT_EQ(text, "241313131413");
}

TEST(IpHashChoice, OneNetworkOneServer) {
    Four up;
    Daemon daemon(servers_3121("balance: ip_hash"), up.marks());
    const auto from = [&](const std::string& address) {
        ClientOptions options;
        options.source = address;
        RawClient client(daemon.http(), options);
        return client.get("/").body;
    };
    std::set<std::string> all;
    for (int network = 1; network <= 12; ++network) {
        const std::string start = "127.0." + std::to_string(network) + ".";
        EXPECT_EQ(from(start + "1"), from(start + "200"));
        all.insert(from(start + "9"));
    }
    EXPECT_GT(all.size(), 1U);
}

}  // namespace
}  // namespace proxyd::test
