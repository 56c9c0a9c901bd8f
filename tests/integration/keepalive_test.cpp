// Connections are used again on both sides, within their limits.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kOneWorker = "workers: 1\nhosts: { \"*\": @UP1@ }\n";

TEST(ClientKeepalive, ManyRequestsUseOneConnection) {
    FakeUpstream upstream;
    Daemon daemon(kOneWorker, ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 50; ++count) {
        const auto response = client.get("/");
        ASSERT_EQ(response.status, 200);
        ASSERT_FALSE(equal_ignoring_case(response.headers.value("Connection"), "close"));
    }
}

TEST(ClientKeepalive, ConnectionCloseIsAnsweredAndObeyed) {
    FakeUpstream upstream;
    Daemon daemon(kOneWorker, ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.get("/", "Connection: close\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(to_lower(response.headers.value("Connection")), "close");
    EXPECT_TRUE(client.closed_by_peer());
    // The client's wish is its own: the upstream's connection stays.
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(ClientKeepalive, UpstreamCloseDoesNotCloseTheClient) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.close = true;
        return reply;
    });
    Daemon daemon(kOneWorker, ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 3; ++count) {
        const auto response = client.get("/");
        EXPECT_EQ(response.status, 200);
        EXPECT_FALSE(equal_ignoring_case(response.headers.value("Connection"), "close"));
    }
    EXPECT_EQ(upstream.connections(), 3);
}

TEST(ClientKeepalive, TimeoutOfZeroMeansNone) {
    FakeUpstream upstream;
    Daemon daemon("client: { keepalive_timeout: 0 }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(to_lower(client.get("/").headers.value("Connection")), "close");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST(ClientKeepalive, RequestLimitClosesTheConnectionAndSaysSo) {
    FakeUpstream upstream;
    Daemon daemon("client: { keepalive_requests: 3 }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_FALSE(equal_ignoring_case(client.get("/1").headers.value("Connection"), "close"));
    EXPECT_FALSE(equal_ignoring_case(client.get("/2").headers.value("Connection"), "close"));
    const auto last = client.get("/3");
    EXPECT_EQ(last.status, 200);
    EXPECT_EQ(to_lower(last.headers.value("Connection")), "close");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST(ClientKeepalive, IdleConnectionIsClosedAfterItsTime) {
    FakeUpstream upstream;
    Daemon daemon("client: { keepalive_timeout: 200ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);
    const auto start = Clock::now();
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_GE(Clock::now() - start, Duration(100));
}

TEST(UpstreamKeepalive, OneConnectionServesManyClients) {
    FakeUpstream upstream;
    Daemon daemon(kOneWorker, ups(upstream));
    for (int count = 0; count < 10; ++count) {
        ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
    }
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(UpstreamKeepalive, SizeBoundsTheIdleConnections) {
    Gate all_in;
    FakeUpstream upstream([&](const Request&) {
        static_cast<void>(all_in.wait());
        return text_reply("x");
    });
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { keepalive: 2, servers: ["127.0.0.1:@UP1@"] }
hosts:
  "*": app
)",
                  ups(upstream));
    std::vector<RawClient> clients;
    for (int count = 0; count < 6; ++count) {
        clients.emplace_back(daemon.http()).send(get_request("/"));
    }
    ASSERT_TRUE(upstream.wait_for_requests(6));
    EXPECT_EQ(upstream.connections(), 6);
    all_in.open();
    for (auto& client : clients) EXPECT_EQ(client.read_response().status, 200);
    EXPECT_TRUE(upstream.wait_for_open(2));
    EXPECT_FALSE(upstream.wait_for_open(1, Duration(100)));
}

TEST(UpstreamKeepalive, IdleTimeClosesTheConnection) {
    FakeUpstream upstream;
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { keepalive_timeout: 200ms, servers: ["127.0.0.1:@UP1@"] }
hosts:
  "*": app
)",
                  ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(upstream.wait_for_open(0));
}

TEST(UpstreamKeepalive, RequestLimitOpensANewConnection) {
    FakeUpstream upstream;
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { keepalive_requests: 2, servers: ["127.0.0.1:@UP1@"] }
hosts:
  "*": app
)",
                  ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 6; ++count) EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(upstream.connections(), 3);
}

TEST(UpstreamKeepalive, NoConnectionFieldGoesToTheUpstream) {
    FakeUpstream upstream;
    Daemon daemon(kOneWorker, ups(upstream));
    get_once(daemon.http(), "/", "Connection: keep-alive\r\nKeep-Alive: timeout=9\r\n");
    const auto request = upstream.last_request();
    EXPECT_FALSE(equal_ignoring_case(request.headers.value("Connection"), "close"));
    EXPECT_FALSE(request.headers.has("Keep-Alive"));
}

}  // namespace
}  // namespace proxyd::test
