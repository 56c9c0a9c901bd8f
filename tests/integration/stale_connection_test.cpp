// A pooled connection that dies as the request is sent: safe methods go again, others never.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kOneWorker = R"(
workers: 1
hosts:
  "*": { upstream: @UP1@, request_buffering: off }
)";

// Serves one request on each connection, then takes a second one and hangs up without a byte.
// Requests to /fresh on a connection's first place are always served.
std::unique_ptr<FakeUpstream> forgetful() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.reply(text_reply("first"), request.method);
        if (connection.read_request(request)) connection.close();
    });
}

int count_of(const FakeUpstream& upstream, std::string_view target) {
    int count = 0;
    for (const auto& request : upstream.requests()) count += request.target == target ? 1 : 0;
    return count;
}

TEST(StaleConnection, GetIsSentAgainOnAFreshOne) {
    const auto upstream = forgetful();
    Daemon daemon(kOneWorker, ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").status, 200);
    const auto response = client.get("/2");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "first");
    EXPECT_EQ(count_of(*upstream, "/2"), 2);
    EXPECT_EQ(upstream->connections(), 2);
}

TEST(StaleConnection, OtherIdempotentMethodsAreSentAgain) {
    for (const std::string method : {"HEAD", "OPTIONS", "PUT", "DELETE"}) {
        SCOPED_TRACE(method);
        const auto upstream = forgetful();
        Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
        RawClient client(daemon.http());
        ASSERT_EQ(client.get("/1").status, 200);
        client.send(method + " /2 HTTP/1.1\r\nHost: app.test\r\n\r\n");
        EXPECT_EQ(client.read_response(method).status, 200);
    }
}

TEST(StaleConnection, PostIsSentOnceAndAnswered502) {
    const auto upstream = forgetful();
    Daemon daemon(kOneWorker, ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").status, 200);
    const auto response = client.exchange(body_request("POST", "/pay", "10 EUR"));
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(count_of(*upstream, "/pay"), 1);
    const auto line = daemon.access(1);
    EXPECT_EQ(line["status"].text(), "502");
    EXPECT_NE(line["reason"].text(), "");
}

TEST(StaleConnection, PatchIsSentOnceAndAnswered502) {
    const auto upstream = forgetful();
    Daemon daemon(kOneWorker, ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").status, 200);
    EXPECT_EQ(client.exchange(body_request("PATCH", "/p", "x")).status, 502);
    EXPECT_EQ(count_of(*upstream, "/p"), 1);
}

TEST(StaleConnection, SeveralStaleOnesAreSkippedForAGet) {
    Gate all_in;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        if (request.target == "/fill") static_cast<void>(all_in.wait());
        connection.reply(text_reply("first"));
        if (connection.read_request(request)) connection.close();
    });
    Daemon daemon(kOneWorker, ups(*upstream));
    std::vector<RawClient> clients;
    for (int count = 0; count < 5; ++count) {
        clients.emplace_back(daemon.http()).send(get_request("/fill"));
    }
    ASSERT_TRUE(upstream->wait_for_requests(5));
    all_in.open();
    for (auto& client : clients) ASSERT_EQ(client.read_response().status, 200);
    EXPECT_EQ(clients[0].get("/again").status, 200);
}

TEST(StaleConnection, ClosedByTheUpstreamWhileIdleIsNotUsed) {
    FakeUpstream upstream;
    Daemon daemon(kOneWorker, ups(upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").status, 200);
    upstream.drop_connections();
    // Even a POST is safe now: the proxy saw the end before it sent anything.
    EXPECT_TRUE(eventually(
        [&] { return client.exchange(body_request("POST", "/post", "x")).status == 200; }));
    EXPECT_EQ(count_of(upstream, "/post"), 1);
}

TEST(StaleConnection, ServerIsNotBlamedForIt) {
    const auto upstream = forgetful();
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { servers: [{ address: "127.0.0.1:@UP1@", max_fails: 1, fail_timeout: 60s }] }
hosts:
  "*": app
)",
                  ups(*upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 6; ++count) EXPECT_EQ(client.get("/").status, 200);
}

TEST(StaleConnection, NoSecondTryOnceAnAnswerByteCame) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.reply(text_reply("first"));
        if (connection.read_request(request)) connection.send("HTTP/1.1 2");
    });
    Daemon daemon(kOneWorker, ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").status, 200);
    EXPECT_EQ(client.get("/2").status, 502);
    EXPECT_EQ(count_of(*upstream, "/2"), 1);
}

}  // namespace
}  // namespace proxyd::test
