// WebSocket of HTTP/1.1 clients to servers that speak HTTP/2.
#include "support/daemon.hpp"
#include "support/h2_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace proxyd::test {
namespace {

constexpr auto kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string config(const std::string& more = "") {
    return "workers: 1\nupstreams:\n  app:\n    servers: [@UP1@]\n    http2: true\n" + more +
           "hosts: { \"*\": app }\n";
}

TEST(H2WebSocket, ExtendedConnectCarriesIt) {
    H2UpstreamOptions options;
    options.extended_connect = true;
    options.at_head = true;
    H2Upstream upstream(
        [](const H2Request&) {
            H2Reply reply;
            reply.echo = true;
            return reply;
        },
        options);
    Daemon daemon(config(), ups(upstream));
    for (int turn = 0; turn < 2; ++turn) {
        RawClient client(daemon.http());
        client.send(kUpgrade);
        const auto head = client.read_head();
        ASSERT_EQ(head.status, 101);
        EXPECT_EQ(head.headers.value("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        EXPECT_EQ(head.headers.value("Upgrade"), "websocket");
        for (const std::string text : {"hello", "again"}) {
            client.send(text);
            EXPECT_EQ(client.read_exactly(text.size()), text);
        }
        client.half_close();
        EXPECT_TRUE(client.closed_by_peer());
        ASSERT_TRUE(upstream.wait_for_requests(turn + 1));
        const auto request = upstream.last_request();
        EXPECT_EQ(request.method, "CONNECT");
        EXPECT_EQ(request.protocol, "websocket");
        EXPECT_EQ(request.path, "/chat");
        EXPECT_EQ(request.headers.value("sec-websocket-version"), "13");
        EXPECT_FALSE(request.headers.has("sec-websocket-key"));
        EXPECT_EQ(request.body, "helloagain");
    }
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(H2WebSocket, ARefusalIsPassedOn) {
    H2UpstreamOptions options;
    options.extended_connect = true;
    options.at_head = true;
    H2Upstream upstream([](const H2Request&) { return h2_text("no", 403); }, options);
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    client.send(kUpgrade);
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "no");
}

TEST(H2WebSocket, AServerWithoutItIsABadGatewayAndNotSick) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    for (int turn = 0; turn < 5; ++turn) {
        RawClient client(daemon.http());
        client.send(kUpgrade);
        EXPECT_EQ(client.read_response().status, 502);
        EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    }
    EXPECT_TRUE(daemon.wait_for_log("extended CONNECT"));
}

TEST(H2WebSocket, WithTlsItGoesOverHttp1) {
    const Authority authority("the authority");
    TempDir temp;
    std::ofstream(temp.path() / "ca.pem") << authority.pem();
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            "\r\nhi");
        static_cast<void>(connection.wait_for_close());
    });
    TlsFrontOptions options;
    options.pair = authority.issue({.names = {"app.internal"}, .addresses = {"127.0.0.1"}});
    TlsFront front(upstream->port(), options);
    auto marks = ups(front);
    marks.set("CA", (temp.path() / "ca.pem").string());
    Daemon daemon(config("    tls: { enabled: true, ca: \"@CA@\", server_name: app.internal }\n"),
                  marks);
    RawClient client(daemon.http());
    client.send(kUpgrade);
    EXPECT_EQ(client.read_head().status, 101);
    EXPECT_EQ(client.read_exactly(2), "hi");
}

}  // namespace
}  // namespace proxyd::test
