// Limits of a request: line, head, number of fields, body.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kSmall = R"(
client: { max_header_size: 4k, max_headers: 20 }
hosts:
  "*": @UP1@
)";

TEST(RequestLimits, LongRequestLineIs414) {
    FakeUpstream upstream;
    Daemon daemon(kSmall, ups(upstream));
    RawClient client(daemon.http());
    client.try_send(get_request("/" + std::string(5000, 'a')));
    EXPECT_EQ(client.read_response().status, 414);
    EXPECT_TRUE(client.read_until_close().closed());
    EXPECT_EQ(upstream.connections(), 0);
}

TEST(RequestLimits, RequestLineThatNeverEndsIs414) {
    FakeUpstream upstream;
    Daemon daemon(kSmall, ups(upstream));
    RawClient client(daemon.http());
    client.try_send("GET /" + std::string(200'000, 'a'), Duration(1000));
    EXPECT_EQ(client.read_response().status, 414);
}

TEST(RequestLimits, LargeHeadIs431) {
    FakeUpstream upstream;
    Daemon daemon(kSmall, ups(upstream));
    for (const auto& fields :
         {"A: " + std::string(5000, 'a') + "\r\n",
          "A: " + std::string(3000, 'a') + "\r\nB: " + std::string(3000, 'b') + "\r\n"}) {
        RawClient client(daemon.http());
        client.try_send(get_request("/", fields));
        EXPECT_EQ(client.read_response().status, 431);
        EXPECT_TRUE(client.read_until_close().closed());
    }
    EXPECT_EQ(upstream.connections(), 0);
}

TEST(RequestLimits, HeadThatNeverEndsIs431) {
    FakeUpstream upstream;
    Daemon daemon(kSmall, ups(upstream));
    RawClient client(daemon.http());
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n");
    client.try_send("A: " + std::string(200'000, 'a'), Duration(1000));
    EXPECT_EQ(client.read_response().status, 431);
}

TEST(RequestLimits, TooManyFieldsAre431) {
    FakeUpstream upstream;
    Daemon daemon(kSmall, ups(upstream));
    const auto fields = [](int count) {
        std::string text;
        for (int number = 0; number < count; ++number)
            text += "A" + std::to_string(number) + ":\r\n";
        return text;
    };
    EXPECT_EQ(get_once(daemon.http(), "/", fields(19)).status, 200);
    RawClient client(daemon.http());
    client.try_send(get_request("/", fields(21)));
    EXPECT_EQ(client.read_response().status, 431);
    EXPECT_TRUE(client.read_until_close().closed());
}

TEST(RequestLimits, DefaultHeadOf32kIsTaken) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "A: " + std::string(30'000, 'a') + "\r\n").status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("A").size(), 30'000U);
    RawClient client(daemon.http());
    client.try_send(get_request("/", "A: " + std::string(33'000, 'a') + "\r\n"));
    EXPECT_EQ(client.read_response().status, 431);
}

TEST(BodyLimit, AnnouncedBodyOverTheLimitIs413BeforeItIsRead) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, max_body_size: 10 } }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 413);
    EXPECT_EQ(upstream.connections(), 0);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "body_too_large");
    EXPECT_TRUE(daemon.wait_for_log("max_body_size"));
}

TEST(BodyLimit, BodyAtTheLimitPasses) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, max_body_size: 10 } }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/", "0123456789")).status, 200);
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunked("0123456789", 3));
    EXPECT_EQ(client.read_response().status, 200);
}

TEST(BodyLimit, ChunkedBodyOverTheLimitIs413) {
    for (const std::string buffering : {"on", "off"}) {
        SCOPED_TRACE("request_buffering " + buffering);
        FakeUpstream upstream;
        Daemon daemon("hosts: { \"*\": { upstream: @UP1@, max_body_size: 10, request_buffering: " +
                          buffering + " } }\n",
                      ups(upstream));
        RawClient client(daemon.http());
        client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunked("0123456789x", 4));
        EXPECT_EQ(client.read_response().status, 413);
        EXPECT_TRUE(client.read_until_close().closed());
        EXPECT_EQ(upstream.request_count(), 0);
    }
}

TEST(BodyLimit, ExpectingClientGets413InsteadOf100) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, max_body_size: 10 } }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n"
        "Expect: 100-continue\r\n\r\n");
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 413);
    EXPECT_TRUE(response.interim.empty());
}

TEST(BodyLimit, DeeperLevelWins) {
    FakeUpstream upstream;
    Daemon daemon(R"(
defaults: { max_body_size: 5 }
hosts:
  "*":
    upstream: @UP1@
    locations:
      /: {}
      /big/: { max_body_size: 50 }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/big/x", "0123456789")).status, 200);
    EXPECT_EQ(client.exchange(body_request("POST", "/small", "0123456789")).status, 413);
}

}  // namespace
}  // namespace proxyd::test
