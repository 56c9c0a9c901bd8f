// How HTTP/2 connections and streams end: drain, time limits, clients that leave.
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace proxyd::test {
namespace {

using namespace h2;

TEST(H2Life, DrainAnnouncesTheEndAndFinishesWhatRuns) {
    Gate open;
    FakeUpstream upstream([&](const Request&) {
        EXPECT_TRUE(open.wait());
        return text_reply("finished");
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto running = client.get("/1");
    ASSERT_TRUE(upstream.wait_for_requests(1));
    daemon.signal(SIGQUIT);
    while (client.received(kGoaway) == 0) ASSERT_TRUE(client.read_frame());
    EXPECT_EQ(client.last_goaway_stream(), 0x7fffffffU);
    const auto late = client.get("/2");  // was on its way, as far as anybody knows
    ASSERT_TRUE(upstream.wait_for_requests(2));
    while (client.received(kGoaway) == 1) ASSERT_TRUE(client.read_frame());
    EXPECT_EQ(client.last_goaway_stream(), late);
    open.open();
    EXPECT_EQ(client.response(running).body, "finished");
    EXPECT_EQ(client.response(late).body, "finished");
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(daemon.wait_exit().code, 0);
}

TEST(H2Life, IdleConnectionsCloseAtDrain) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    EXPECT_EQ(client.response(client.get("/")).status, 200);
    daemon.signal(SIGQUIT);
    EXPECT_TRUE(client.closed(Duration(3000)));
    EXPECT_EQ(client.goaway(Duration(0)), kNoError);
    EXPECT_EQ(daemon.wait_exit().code, 0);
}

TEST(H2Life, IdleConnectionsEndAfterTheKeepaliveTimeout) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { keepalive_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    EXPECT_EQ(client.response(client.get("/")).status, 200);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(client.goaway(Duration(0)), kNoError);
}

TEST(H2Life, ConnectionsEndAfterTheirNumberOfRequests) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { keepalive_requests: 3 }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(client.response(client.get("/")).status, 200);
    }
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(client.goaway(Duration(0)), kNoError);
}

TEST(H2Life, HeadsThatDoNotEndAreLate) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { header_timeout: 400ms }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    client.send(
        frame(kHeaders, kEndStream, client.next_stream(), literals(request_fields("GET", "/"))));
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(daemon.wait_for_log("client_timeout_header"));
}

TEST(H2Life, TheFirstHeadIsTimedFromTheAccept) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { header_timeout: 2s }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    const auto since = Clock::now();
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    client.send(
        frame(kHeaders, kEndStream, client.next_stream(), literals(request_fields("GET", "/"))));
    EXPECT_TRUE(client.closed());
    EXPECT_LT(Clock::now() - since, std::chrono::seconds(3));
}

TEST(H2Life, RequestsTakenBackInTheSamePacketHaveTheirLine) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    const auto stream = client.next_stream();
    client.send(frame(kHeaders, kEndHeaders | kEndStream, stream,
                      literals(request_fields("GET", "/back"))) +
                frame(kRstStream, 0, stream, number(kCancel, 4)));
    const auto line = daemon.access(0);
    EXPECT_EQ(line["status"].text(), "499");
    EXPECT_EQ(line["reason"].text(), "stream_reset");
    EXPECT_EQ(upstream.heads(), 0);
    EXPECT_EQ(client.response(client.get("/")).status, 200);
}

TEST(H2Life, StreamsThatTheClientResetsFreeTheBackend) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    const auto stream = client.get("/");
    ASSERT_TRUE(upstream->wait_for_heads(1));
    client.reset(stream);
    EXPECT_TRUE(upstream->wait_for_aborted(1));
    const auto line = daemon.access(0);
    EXPECT_EQ(line["reason"].text(), "stream_reset");
    EXPECT_TRUE(client.settle());
}

TEST(H2Life, ClientsThatLeaveFreeTheBackend) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    for (const bool hard : {false, true}) {
        H2Client client(daemon.http());
        client.get("/a");
        client.get("/b");
        const int before = upstream->aborted();
        ASSERT_TRUE(upstream->wait_for_heads(before + 2));
        if (hard) {
            client.raw().reset();
        } else {
            client.raw().close();
        }
        EXPECT_TRUE(upstream->wait_for_aborted(before + 2));
    }
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_closed");
}

TEST(H2Life, RequestAndEndInOnePacketAreNoticed) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    client.get("/");
    client.raw().half_close();
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_closed");
    EXPECT_TRUE(upstream->wait_for_open(0));
}

}  // namespace
}  // namespace proxyd::test
