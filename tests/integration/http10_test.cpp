// HTTP/1.0 clients get answers that they can read.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";

TEST(Http10, ConnectionClosesWithoutKeepAlive) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.exchange("GET /x HTTP/1.0\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.complete());
    EXPECT_EQ(response.body, "ok");
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_EQ(upstream.last_request().version, "HTTP/1.1");
}

TEST(Http10, KeepAliveIsConfirmedAndKept) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const std::string request =
        "GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n";
    for (int count = 0; count < 3; ++count) {
        const auto response = client.exchange(request);
        ASSERT_EQ(response.status, 200);
        EXPECT_EQ(to_lower(response.headers.value("Connection")), "keep-alive");
    }
}

TEST(Http10, ChunkedAnswerComesWithoutChunksAndEndsWithTheConnection) {
    const auto body = pattern(50'000);
    FakeUpstream upstream([&](const Request&) {
        auto reply = text_reply(body);
        reply.framing = Reply::Framing::Chunked;
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    for (const auto* fields : {"", "Connection: keep-alive\r\n"}) {
        SCOPED_TRACE(fields);
        RawClient client(daemon.http());
        const auto response =
            client.exchange("GET / HTTP/1.0\r\nHost: app.test\r\n" + std::string(fields) + "\r\n");
        EXPECT_FALSE(response.headers.has("Transfer-Encoding"));
        EXPECT_EQ(response.body_digest, digest_of(body));
        EXPECT_TRUE(response.end == MessageEnd::ConnectionClose ||
                    response.end == MessageEnd::Length);
    }
}

TEST(Http10, WithoutHostGoesToTheStarHostOnly) {
    FakeUpstream upstream;
    {
        Daemon daemon(kEveryHost, ups(upstream));
        RawClient client(daemon.http());
        EXPECT_EQ(client.exchange("GET / HTTP/1.0\r\n\r\n").status, 200);
    }
    Daemon named("hosts: { app.test: @UP1@ }\n", ups(upstream));
    RawClient client(named.http());
    EXPECT_EQ(client.exchange("GET / HTTP/1.0\r\n\r\n").status, 404);
}

TEST(Http10, NoInterimAnswersAreSent) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.send(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    const auto response = client.exchange("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.interim.empty());
}

TEST(Http10, ExpectIsIgnored) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.exchange(
        "POST / HTTP/1.0\r\nHost: app.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        "POST");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.interim.empty());
    EXPECT_EQ(upstream.last_request().body, "abc");
}

}  // namespace
}  // namespace proxyd::test
