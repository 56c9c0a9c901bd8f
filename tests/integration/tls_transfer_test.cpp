// Requests and answers over TLS: large, slow and cut ones.
#include "support/digest.hpp"
#include "support/gate.hpp"
#include "support/tls_site.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace proxyd::test {
namespace {

class TlsTransfer : public ::testing::TestWithParam<int> {
  protected:
    std::string config(const std::string& more = "") {
        return site("hosts:\n  \"*\": { upstream: @UP1@, redirect_http: false, tls: { " +
                    files.pair("a", {"app.test"}) + " }" + more + " }\n");
    }
    static TlsOptions options() {
        TlsOptions result;
        result.version = GetParam();
        return result;
    }
    TlsFiles files;
};

TEST_P(TlsTransfer, LargeBodiesBothWays) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.body); });
    Daemon daemon(config(), ups(upstream));
    const std::string body = pattern(3U << 20U, 7);
    TlsClient client(daemon.port("HTTPS"), options());
    for (int count = 0; count < 3; ++count) {
        client.send(body_request("POST", "/", body));
        const auto answer = client.read_response("POST");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body_digest, digest_of(body));
    }
}

TEST_P(TlsTransfer, ARequestInManyRecords) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.body); });
    Daemon daemon(config(), ups(upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    for (const char byte : body_request("POST", "/", "hello")) client.send({&byte, 1});
    EXPECT_EQ(client.read_response("POST").body, "hello");
}

TEST_P(TlsTransfer, PipelinedRequestsInOneRecord) {
    FakeUpstream upstream;
    Daemon daemon(config(), ups(upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    client.send(get_request("/1") + get_request("/2") + get_request("/3"));
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(client.read_response().status, 200);
    }
}

TEST_P(TlsTransfer, ASlowReaderStopsTheUpstream) {
    const std::string body = pattern(64U << 20U, 7);
    FakeUpstream upstream([&](const Request&) { return text_reply(body); });
    Daemon daemon(config(), ups(upstream));
    auto slow = options();
    slow.socket.receive_buffer = 16 * 1024;
    TlsClient client(daemon.port("HTTPS"), slow);
    EXPECT_EQ(get_tls(daemon.port("HTTPS"), "/").body_size, body.size());
    const auto before = daemon.rss_kib();
    client.send(get_request("/"));
    EXPECT_EQ(client.read_exactly(1000).size(), 1000U);
    EXPECT_TRUE(upstream.wait_for_requests(2));
    std::this_thread::sleep_for(Duration(200));  // it would grow now
    if (!daemon.sanitized()) {
        EXPECT_LT(daemon.rss_kib(), before + 2048);
    }
    const auto rest = client.read_exactly(body.size() - 1000);
    EXPECT_EQ(rest.size(), body.size() - 1000);
}

// A cut connection is no end of a body, and neither is close_notify inside one.
TEST_P(TlsTransfer, ACutUploadNeverLooksComplete) {
    FakeUpstream upstream;
    Daemon daemon(config(", request_buffering: off"), ups(upstream));
    const std::string by_length =
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nhalf";
    const std::string in_chunks =
        "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    int cut = 0;
    for (const auto& bytes : {by_length, in_chunks}) {
        for (const bool goodbye : {false, true}) {
            TlsClient client(daemon.port("HTTPS"), options());
            client.send(bytes);
            EXPECT_TRUE(upstream.wait_for_heads(++cut));
            if (goodbye) client.say_goodbye();
            client.close();
            EXPECT_TRUE(upstream.wait_for_aborted(cut));
        }
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST_P(TlsTransfer, ACutAnswerNeverLooksComplete) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    });
    Daemon daemon(config(), ups(*upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    const auto answer = client.get("/");
    EXPECT_FALSE(answer.complete()) << answer.end;
    EXPECT_EQ(answer.io, IoStatus::Reset);
}

TEST_P(TlsTransfer, TheEndOfAnAnswerIsSaid) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("to the end");
        reply.framing = Reply::Framing::UntilClose;
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    client.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    const auto answer = client.read_response();
    EXPECT_EQ(answer.body, "to the end");
    EXPECT_EQ(answer.end, MessageEnd::ConnectionClose);
    EXPECT_EQ(answer.io, IoStatus::Eof);  // close_notify
}

TEST_P(TlsTransfer, AClientThatLeavesIsNoticed) {
    const auto upstream = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { static_cast<void>(connection.wait_for_close()); });
    Daemon daemon(config(), ups(*upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream->wait_for_connections(1));
    client.close();
    EXPECT_TRUE(upstream->wait_for_open(0));
    EXPECT_EQ(daemon.access(0)["status"].text(), "499");
}

TEST_P(TlsTransfer, WebSocketsPassThrough) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: upgrade\r\n\r\nhello");
        static_cast<void>(connection.wait_for_close());
    });
    Daemon daemon(config(), ups(*upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    client.send(get_request("/",
                            "Upgrade: websocket\r\nConnection: upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"));
    EXPECT_EQ(client.read_head().status, 101);
    EXPECT_EQ(client.read_exactly(5), "hello");
}

TEST_P(TlsTransfer, ADrainLetsTheAnswerEnd) {
    Gate gate;
    FakeUpstream upstream([&](const Request&) {
        static_cast<void>(gate.wait());
        return text_reply("late");
    });
    Daemon daemon(config(), ups(upstream));
    TlsClient client(daemon.port("HTTPS"), options());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    daemon.signal(SIGQUIT);
    ASSERT_TRUE(daemon.wait_for_log("draining"));
    gate.open();
    EXPECT_EQ(client.read_response().body, "late");
    EXPECT_EQ(client.read_until_close().end, IoStatus::Eof);
    EXPECT_EQ(daemon.wait_exit().code, 0);
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsTransfer, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                             return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace proxyd::test
