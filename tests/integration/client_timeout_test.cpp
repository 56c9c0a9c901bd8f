// Time limits of the client side: head, body, sending, idle.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <deque>

namespace proxyd::test {
namespace {

TEST(HeaderTimeout, HalfAHeadIs408AndTheConnectionEnds) {
    FakeUpstream upstream;
    Daemon daemon("client: { header_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n");
    EXPECT_EQ(client.read_response().status, 408);
    EXPECT_TRUE(client.read_until_close().closed());
    EXPECT_EQ(upstream.connections(), 0);
}

TEST(HeaderTimeout, IsTheWholeTimeAndDripsDoNotExtendIt) {
    FakeUpstream upstream;
    Daemon daemon("client: { header_timeout: 500ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    const auto start = Clock::now();
    const std::string head = "GET / HTTP/1.1\r\nHost: app.test\r\nX: " + std::string(500, 'x');
    // One byte every 50 ms would take 25 seconds.
    for (const char byte : head) {
        if (client.try_send({&byte, 1}) != IoStatus::Ok || !client.silent_for(Duration(50))) break;
    }
    EXPECT_LT(Clock::now() - start, Duration(5000));
    const auto rest = client.read_until_close();
    EXPECT_TRUE(rest.closed());
    EXPECT_TRUE(rest.text.empty() || rest.text.starts_with("HTTP/1.1 408")) << rest.text;
}

TEST(HeaderTimeout, SilentNewConnectionIsClosed) {
    FakeUpstream upstream;
    Daemon daemon("client: { header_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_TRUE(client.read_until_close().closed());
}

TEST(HeaderTimeout, CountsFromTheFirstByteOnAKeptConnection) {
    FakeUpstream upstream;
    Daemon daemon("client: { header_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/").status, 200);
    // Idle for longer than header_timeout: that is keepalive_timeout's business.
    EXPECT_TRUE(client.silent_for(Duration(600)));
    EXPECT_EQ(client.get("/").status, 200);
    client.send("GET / HT");
    EXPECT_EQ(client.read_response().status, 408);
}

TEST(BodyTimeout, SilenceInTheBodyIs408) {
    for (const std::string buffering : {"on", "off"}) {
        SCOPED_TRACE("request_buffering " + buffering);
        FakeUpstream upstream;
        Daemon daemon(
            "client: { body_timeout: 300ms }\nhosts: { \"*\": { upstream: @UP1@, "
            "request_buffering: " +
                buffering + " } }\n",
            ups(upstream));
        RawClient client(daemon.http());
        client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nabc");
        EXPECT_EQ(client.read_response().status, 408);
        EXPECT_TRUE(client.read_until_close().closed());
        EXPECT_EQ(upstream.request_count(), 0);
        EXPECT_TRUE(upstream.wait_for_open(0));
        EXPECT_EQ(daemon.access(0)["status"].text(), "408");
        EXPECT_NE(daemon.access(0)["reason"].text(), "");
    }
}

TEST(BodyTimeout, EveryReadThatBringsBytesStartsItAgain) {
    FakeUpstream upstream;
    Daemon daemon("client: { body_timeout: 600ms }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 12\r\n\r\n");
    for (int count = 0; count < 12; ++count) {
        EXPECT_TRUE(client.silent_for(Duration(100)));
        client.send("x");
    }
    EXPECT_EQ(client.read_response().status, 200);
}

TEST(BodyTimeout, DripBelowTheMinimumRateIs408) {
    FakeUpstream upstream;
    Daemon daemon("client: { body_timeout: 60s, min_rate: 1k }\nhosts: { \"*\": @UP1@ }\n",
                  ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n");
    const auto start = Clock::now();
    while (client.silent_for(Duration(100)) && Clock::now() - start < Duration(9000)) {
        client.try_send("x");
    }
    EXPECT_EQ(client.read_response().status, 408);
    EXPECT_LT(Clock::now() - start, Duration(9000));
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_timeout_body");
}

TEST(SendTimeout, ClientThatNeverReadsIsCut) {
    const std::string block(1U << 20U, 'x');
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        while (connection.send(block) == IoStatus::Ok) {
        }
    });
    Daemon daemon("client: { send_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    ClientOptions options;
    options.receive_buffer = 4096;
    RawClient client(daemon.http(), options);
    client.send(get_request("/"));
    EXPECT_TRUE(upstream->wait_for_connections(1));
    EXPECT_TRUE(upstream->wait_for_open(0)) << "the upstream's connection was kept";
    EXPECT_NE(daemon.access(0)["reason"].text(), "");
}

TEST(SlowClients, ManyStalledOnesLeaveTheServiceQuick) {
    FakeUpstream upstream;
    Daemon daemon("client: { header_timeout: 60s }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    std::deque<RawClient> stalled;
    for (int count = 0; count < 1000; ++count) {
        auto& client = stalled.emplace_back(daemon.http());
        client.send(count % 2 == 0 ? "GET / HTTP/1.1\r\nHost: app.t"
                                   : "POST / HTTP/1.1\r\nHost: app.test\r\n"
                                     "Content-Length: 10\r\n\r\nabc");
    }
    std::vector<Clock::duration> times;
    for (int count = 0; count < 21; ++count) {
        const auto start = Clock::now();
        ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
        times.push_back(Clock::now() - start);
    }
    std::ranges::sort(times);
    EXPECT_LT(times[times.size() / 2], Duration(100));
}

}  // namespace
}  // namespace proxyd::test
