// split: shares of the requests over upstreams; a client stays on its share.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

std::string split_config(const std::string& split, const std::string& more = "") {
    return "trusted_proxies: [127.0.0.0/8]\n"
           "upstreams: { stable: \"127.0.0.1:@UP1@\", canary: \"127.0.0.1:@UP2@\" }\n"
           "hosts: { \"*\": { split: " +
           split + more + " } }\n";
}

std::string from(int number) {
    return "X-Forwarded-For: 10." + std::to_string(number >> 16) + "." +
           std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255) + "\r\n";
}

TEST(Split, SharesAreWithinOnePercentOfTheWeights) {
    FakeUpstream stable(named("s"));
    FakeUpstream canary(named("c"));
    Daemon daemon(split_config("{ stable: 90, canary: 10 }", ", access_log: off"),
                  ups(stable, canary));
    constexpr int kClients = 10'000;
    int hits = 0;
    RawClient client(daemon.http());
    for (int number = 0; number < kClients; ++number) {
        hits += client.get("/", from(number)).body == "c" ? 1 : 0;
    }
    EXPECT_NEAR(hits, kClients / 10, kClients / 100);
    EXPECT_EQ(canary.request_count(), hits);
    EXPECT_EQ(stable.request_count(), kClients - hits);
}

TEST(Split, AClientStaysOnEveryWorkerAndAcrossReloads) {
    FakeUpstream stable(named("s"));
    FakeUpstream canary(named("c"));
    const auto config = split_config("{ stable: 50, canary: 50 }");
    Daemon daemon(config, ups(stable, canary));
    std::string first;
    for (int number = 0; number < 30; ++number) {
        first += get_once(daemon.http(), "/", from(number)).body;
    }
    EXPECT_NE(first.find('s'), std::string::npos);
    EXPECT_NE(first.find('c'), std::string::npos);
    daemon.reload(config + "server_header: off\n");
    std::string second;
    for (int number = 0; number < 30; ++number) {
        second += get_once(daemon.http(), "/", from(number)).body;
    }
    EXPECT_EQ(first, second);
}

TEST(Split, TheClientsAddressIsTheConnectionsWithoutTrustedProxies) {
    FakeUpstream stable(named("s"));
    FakeUpstream canary(named("c"));
    Daemon daemon(
        "upstreams: { stable: \"127.0.0.1:@UP1@\", canary: \"127.0.0.1:@UP2@\" }\n"
        "hosts: { \"*\": { split: { stable: 1, canary: 1 } } }\n",
        ups(stable, canary));
    std::string text;
    for (int number = 0; number < 20; ++number) {
        text += get_once(daemon.http(), "/", from(number)).body;
    }
    EXPECT_TRUE(text == std::string(20, 's') || text == std::string(20, 'c')) << text;
    std::string others;
    for (int number = 1; number <= 20; ++number) {
        ClientOptions options;
        options.source = "127.0.1." + std::to_string(number);
        others += RawClient(daemon.http(), options).get("/").body;
    }
    EXPECT_NE(others.find('s'), std::string::npos);
    EXPECT_NE(others.find('c'), std::string::npos);
}

TEST(Split, AnotherKeyAndTheAddressWhereItIsEmpty) {
    FakeUpstream stable(named("s"));
    FakeUpstream canary(named("c"));
    Daemon daemon(split_config("{ upstreams: { stable: 1, canary: 1 }, key: $cookie_user }"),
                  ups(stable, canary));
    RawClient client(daemon.http());
    std::string by_cookie;
    for (int number = 0; number < 30; ++number) {
        const std::string cookie = "Cookie: a=b; user=u" + std::to_string(number) + "\r\n";
        const auto one = client.get("/", cookie + from(1)).body;
        EXPECT_EQ(client.get("/", cookie + from(2)).body, one);
        by_cookie += one;
    }
    EXPECT_NE(by_cookie.find('s'), std::string::npos);
    EXPECT_NE(by_cookie.find('c'), std::string::npos);
    std::string by_address;
    for (int number = 0; number < 30; ++number) by_address += client.get("/", from(number)).body;
    EXPECT_NE(by_address.find('s'), std::string::npos);
    EXPECT_NE(by_address.find('c'), std::string::npos);
}

TEST(Split, TheChosenUpstreamIsInTheLogAndItsTimeoutsHold) {
    const auto slow = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    FakeUpstream quick(named("q"));
    Daemon daemon(R"(
log: { access: { path: @TMP@/access.log, format: "$upstream_name $status", buffer: 0 } }
upstreams:
  slow: { servers: ["127.0.0.1:@UP1@"], timeouts: { read: 200ms } }
  quick: { servers: ["127.0.0.1:@UP2@"] }
hosts:
  "*": { locations: { /slow/: { split: { slow: 1 } }, /quick/: { split: { quick: 1 } } } }
)",
                  ups(*slow, quick));
    EXPECT_EQ(get_once(daemon.http(), "/slow/").status, 504);
    EXPECT_EQ(daemon.wait_for_access(1).at(0), "slow 504");
    EXPECT_EQ(get_once(daemon.http(), "/quick/").body, "q");
    EXPECT_EQ(daemon.wait_for_access(2).at(1), "quick 200");
}

TEST(Split, WorksWithStripPrefixAndTheSlashRedirect) {
    FakeUpstream stable(named("s"));
    FakeUpstream canary(named("c"));
    Daemon daemon(R"(
upstreams: { stable: "127.0.0.1:@UP1@", canary: "127.0.0.1:@UP2@" }
hosts:
  "*": { locations: { /api/: { split: { stable: 1, canary: 1 }, strip_prefix: true } } }
)",
                  ups(stable, canary));
    EXPECT_EQ(get_once(daemon.http(), "/api").status, 301);
    const auto body = get_once(daemon.http(), "/api/x").body;
    EXPECT_EQ((body == "s" ? stable : canary).last_request().target, "/x");
}

}  // namespace
}  // namespace proxyd::test
