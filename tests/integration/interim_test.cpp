// 1xx answers: 100-continue, 103, and a bound on their number.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(Continue, IsAnsweredBeforeTheBodyIsSent) {
    for (const std::string buffering : {"on", "off"}) {
        SCOPED_TRACE("request_buffering " + buffering);
        FakeUpstream upstream;
        Daemon daemon(
            "hosts: { \"*\": { upstream: @UP1@, request_buffering: " + buffering + " } }\n",
            ups(upstream));
        RawClient client(daemon.http());
        client.send(
            "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\n\r\n");
        EXPECT_EQ(client.read_head().status, 100);
        client.send("hello");
        EXPECT_EQ(client.read_response().status, 200);
        EXPECT_EQ(upstream.last_request().body, "hello");
    }
}

TEST(Continue, FinalAnswerInsteadOf100EndsTheExchange) {
    Daemon daemon(R"(
hosts:
  app.test: { return: 403 }
)");
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n"
        "Expect: 100-continue\r\n\r\n");
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 403);
    EXPECT_TRUE(response.interim.empty());
}

TEST(Continue, BodyThatComesWithoutWaitingIsTaken) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(body_request("POST", "/", "hello", "Expect: 100-continue\r\n"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().body, "hello");
}

TEST(Continue, UnknownExpectationIsRefusedOrIgnored) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto response = get_once(daemon.http(), "/", "Expect: a-pony\r\n");
    EXPECT_TRUE(response.status == 417 || response.status == 200) << response.status;
    for (const auto& request : upstream.requests()) EXPECT_FALSE(request.headers.has("Expect"));
}

TEST(EarlyHints, PassToTheClientBeforeTheAnswer) {
    Gate seen;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
        if (seen.wait()) connection.reply(text_reply("done"));
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    const auto hints = client.read_head();
    EXPECT_EQ(hints.status, 103);
    EXPECT_EQ(hints.headers.value("Link"), "</style.css>; rel=preload");
    seen.open();
    EXPECT_EQ(client.read_response().body, "done");
    EXPECT_EQ(daemon.access(0)["status"].text(), "200");
}

TEST(EarlyHints, AFloodOfInterimAnswersIsBounded) {
    std::atomic<int> sent = 0;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        for (int count = 0; count < 200'000; ++count) {
            if (connection.send("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n") != IoStatus::Ok) break;
            ++sent;
        }
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    const auto response = client.get("/");
    EXPECT_TRUE(response.status == 502 || !response.complete()) << response.status;
    EXPECT_LT(response.interim.size(), 10'000U);
    EXPECT_LT(sent, 200'000);
}

TEST(Interim, UnaskedSwitchingProtocolsIsABadAnswer) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\nsecret bytes");
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    const auto response = client.get("/");
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace proxyd::test
