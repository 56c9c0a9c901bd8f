// A client that leaves takes its upstream work with it; the log says 499.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";

// Takes the request and never answers.
std::unique_ptr<FakeUpstream> silent() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
}

void expect_499(const Daemon& daemon) {
    const auto line = daemon.access(0);
    EXPECT_EQ(line["status"].text(), "499");
    EXPECT_EQ(line["reason"].text(), "client_closed");
}

TEST(ClientAbort, CloseReleasesTheUpstreamAtOnce) {
    const auto upstream = silent();
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/wait"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    client.close();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    expect_499(daemon);
}

TEST(ClientAbort, ResetReleasesTheUpstreamAtOnce) {
    const auto upstream = silent();
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/wait"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    client.reset();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    expect_499(daemon);
}

TEST(ClientAbort, HalfCloseWhileWaitingCountsAsLeaving) {
    const auto upstream = silent();
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/wait"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    client.half_close();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    expect_499(daemon);
}

TEST(ClientAbort, DuringTheAnswerReleasesTheUpstream) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, buffering: off } }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/stream"));
    EXPECT_EQ(client.read_head().status, 200);
    client.close();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_closed");
}

TEST(ClientAbort, BetweenUploadAndAnswerThatBothRunReleasesTheUpstream) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, buffering: off, request_buffering: off } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    EXPECT_EQ(client.read_head().status, 200);
    client.close();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_closed");
}

TEST(ClientAbort, DuringAStreamedUploadReleasesTheUpstream) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("POST /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nabc");
    ASSERT_TRUE(upstream.wait_for_heads(1));
    client.close();
    EXPECT_TRUE(upstream.wait_for_aborted(1, Duration(3000)));
    EXPECT_EQ(upstream.request_count(), 0);
    expect_499(daemon);
}

TEST(ClientAbort, WithAPipelinedRequestWaitingIsStillNoticed) {
    const auto upstream = silent();
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/wait") + get_request("/behind"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    client.reset();
    EXPECT_TRUE(upstream->wait_for_aborted(1, Duration(3000)));
    EXPECT_EQ(upstream->heads(), 1);
}

TEST(ClientAbort, OtherClientsGoOn) {
    Gate gate;
    FakeUpstream upstream([&](const Request& request) {
        if (request.target == "/wait") static_cast<void>(gate.wait());
        return text_reply("ok");
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    for (int count = 0; count < 20; ++count) {
        RawClient leaver(daemon.http());
        leaver.send(get_request("/wait"));
        ASSERT_TRUE(upstream.wait_for_heads(2 * count + 1));
        leaver.reset();
        ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
    }
    gate.open();
}

TEST(ClientAbort, ConnectionWithoutAByteWritesNoAccessLine) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient(daemon.http()).close();
    EXPECT_EQ(get_once(daemon.http(), "/only").status, 200);
    EXPECT_EQ(daemon.wait_for_access(1).size(), 1U);
    EXPECT_EQ(daemon.access(0)["request_uri"].text(), "/only");
}

}  // namespace
}  // namespace proxyd::test
