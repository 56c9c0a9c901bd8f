// Windows and time: who is slow holds up himself and nobody else.
#include "support/digest.hpp"
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

using namespace h2;

constexpr auto kUnbuffered = "hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n";

TEST(H2Flow, HeadsAsLargeAsBuffersHeaderArrive) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
        for (int i = 0; i < 75; ++i) {
            head += "X-" + std::to_string(i) + ": " + std::string(4000, 'y') + "\r\n";
        }
        connection.send(head + "\r\n");
        connection.wait_for_close();
    });
    Daemon daemon(with_http2("hosts: { \"*\": { upstream: @UP1@, buffers: { header: 1m } } }\n"),
                  ups(*upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.get("/"));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.ended);
}

TEST(H2Flow, UploadThatNobodyReadsIsBoundedAndHoldsUpNoOther) {
    Gate go_on;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        if (request.target == "/stalled" && !go_on.wait()) return;
        connection.read_body(request);
        connection.reply(text_reply(std::to_string(request.body_size)));
    });
    Daemon daemon(with_http2(kUnbuffered), ups(*upstream));
    H2Client client(daemon.http());
    const auto body = pattern(32U << 20U);
    const auto stalled = client.request(request_fields("POST", "/stalled"), false);
    // What kernels and windows hold, and not more
    EXPECT_FALSE(client.upload(stalled, body, true, Duration(1500)));
    EXPECT_FALSE(client.state(stalled).reset);
    const auto other = client.post("/other", pattern(1'000'000));
    EXPECT_EQ(client.response(other).body, "1000000");
    go_on.open();
    EXPECT_FALSE(client.state(stalled).ended);
}

TEST(H2Flow, AnswersWaitForTheWindowOfTheirStream) {
    const auto body = pattern(300'000);
    FakeUpstream upstream([&](const Request&) { return text_reply(body); });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Options options;
    options.stream_window = 1000;
    options.open_windows = false;
    H2Client client(daemon.http(), options);
    const auto stream = client.get("/");
    EXPECT_EQ(client.body(stream, 1000).body.size(), 1000U);
    ASSERT_TRUE(client.settle());
    EXPECT_EQ(client.state(stream).body.size(), 1000U);
    for (int i = 0; i < 10; ++i) client.window(stream, 1);  // one byte at a time
    EXPECT_EQ(client.body(stream, 1010).body.size(), 1010U);
    client.window(stream, 1 << 20);
    EXPECT_EQ(digest_of(client.response(stream).body), digest_of(body));
}

TEST(H2Flow, NoWindowAtAllAndLaterOne) {
    FakeUpstream upstream([&](const Request&) { return text_reply("late"); });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Options options;
    options.stream_window = 0;
    H2Client client(daemon.http(), options);
    const auto stream = client.get("/");
    EXPECT_EQ(client.head(stream).status, 200);
    ASSERT_TRUE(client.settle());
    EXPECT_FALSE(client.state(stream).ended);
    client.send(frame(kSettings, 0, 0, setting(4, 65'535)));
    EXPECT_EQ(client.response(stream).body, "late");
}

TEST(H2Flow, StalledWindowsEndAfterTheSendTimeout) {
    FakeUpstream upstream([&](const Request&) { return text_reply(std::string(200'000, 'a')); });
    Daemon daemon(with_http2("client: { send_timeout: 400ms }\n"
                             "hosts: { \"*\": { upstream: @UP1@, buffering: off } }\n"),
                  ups(upstream));
    H2Options options;
    options.open_windows = false;
    H2Client client(daemon.http(), options);
    const auto stream = client.get("/");
    EXPECT_EQ(client.response(stream).reset, kCancel);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_timeout_send");
}

TEST(H2Flow, AnswersThatWereKeptForTheClientEndAfterTheSendTimeoutToo) {
    FakeUpstream upstream([&](const Request&) { return text_reply("kept"); });
    Daemon daemon(with_http2("client: { send_timeout: 400ms }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Options options;
    options.stream_window = 0;
    H2Client client(daemon.http(), options);
    const auto stream = client.get("/");
    EXPECT_EQ(client.head(stream).status, 200);
    daemon.wait_for_access(1);  // nobody but the connection has it any more
    EXPECT_EQ(client.response(stream).reset, kCancel);
}

TEST(H2Flow, ClientThatDoesNotReadIsCut) {
    FakeUpstream upstream([&](const Request&) { return text_reply(std::string(8U << 20U, 'a')); });
    Daemon daemon(with_http2("client: { send_timeout: 400ms }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Options options;
    options.stream_window = 0x7fffffff;
    options.connection_more = 0x7fff0000 - 65'535;
    options.client.receive_buffer = 4096;
    H2Client client(daemon.http(), options);
    client.get("/");
    EXPECT_EQ(daemon.access(0)["reason"].text(), "client_timeout_send");
    EXPECT_TRUE(upstream.wait_for_open(0));
}

TEST(H2Flow, SlowBodiesEndAfterTheBodyTimeout) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { body_timeout: 300ms }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(request_fields("POST", "/"), false);
    client.data(stream, "half");
    EXPECT_EQ(client.response(stream).status, 408);
    EXPECT_EQ(client.response(client.get("/")).status, 200);
}

TEST(H2Flow, MemoryOfASlowReaderIsBounded) {
    const std::string piece(1U << 20U, 'a');
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n");
        for (int i = 0; i < 256; ++i) {
            if (connection.send(piece) != IoStatus::Ok) return;
        }
    });
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(*upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    const auto before = daemon.rss_kib();
    const auto stream = client.get("/");
    client.body(stream, 32U << 20U);
    const auto after = daemon.rss_kib();
    if (!daemon.sanitized()) {
        EXPECT_LT(after, before + 4096);
    }
    client.reset(stream);
    EXPECT_TRUE(client.settle());
}

}  // namespace
}  // namespace proxyd::test
