// WebSocket over HTTP/2 (RFC 8441) to backends that speak HTTP/1.1.
#include "support/digest.hpp"
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

namespace proxyd::test {
namespace {

using namespace h2;

std::string base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string switching(const Request& request) {
    const auto text =
        request.headers.value("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: " +
           base64({reinterpret_cast<char*>(digest), sizeof digest}) + "\r\n\r\n";
}

Headers websocket(std::string_view path = "/ws") {
    return {{":method", "CONNECT"},
            {":protocol", "websocket"},
            {":scheme", "http"},
            {":authority", "app.test"},
            {":path", std::string(path)},
            {"sec-websocket-version", "13"},
            {"sec-websocket-protocol", "chat"}};
}

std::unique_ptr<FakeUpstream> echo() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(switching(request));
        auto& wire = connection.wire();
        while (!wire.view().empty() || wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
            if (connection.send(wire.view()) != IoStatus::Ok) return;
            wire.consume(wire.view().size());
        }
        connection.send("bye");
    });
}

TEST(H2WebSocket, BecomesAnUpgradeAndBytesPassBothWays) {
    const auto upstream = echo();
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    EXPECT_EQ(client.settings().at(8), 1U);  // ENABLE_CONNECT_PROTOCOL
    const auto stream = client.request(websocket(), false);
    const auto head = client.head(stream);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.value("sec-websocket-protocol"), "chat");
    for (const auto* name : {"sec-websocket-accept", "upgrade", "connection"}) {
        EXPECT_FALSE(head.headers.has(name)) << name;
    }
    client.data(stream, "hello");
    EXPECT_EQ(client.body(stream, 5).body, "hello");
    EXPECT_EQ(client.response(client.get("/", {}), Duration(0)).status, 0);

    const auto request = upstream->request(0);
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/ws");
    EXPECT_EQ(to_lower(request.headers.value("Upgrade")), "websocket");
    EXPECT_EQ(to_lower(request.headers.value("Connection")), "upgrade");
    EXPECT_EQ(request.headers.value("sec-websocket-version"), "13");
    EXPECT_EQ(request.headers.value("Sec-WebSocket-Key").size(), 24U);
    EXPECT_EQ(request.headers.value("Host"), "app.test");

    client.data(stream, "", true);
    EXPECT_EQ(client.response(stream).body, "hellobye");
    EXPECT_TRUE(client.state(stream).ended);
}

TEST(H2WebSocket, LargeTransfersKeepTheirBytes) {
    const auto upstream = echo();
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(websocket(), false);
    EXPECT_EQ(client.head(stream).status, 200);
    const auto bytes = pattern(4U << 20U);
    EXPECT_TRUE(client.upload(stream, bytes, false));
    EXPECT_EQ(digest_of(client.body(stream, bytes.size()).body), digest_of(bytes));
}

TEST(H2WebSocket, ResetIsPassedOnBothWays) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(switching(request));
        if (request.target == "/reset") {
            if (connection.wire().fill(Deadline(kLimit)) == IoStatus::Ok) connection.reset();
        } else {
            connection.wait_for_close();
        }
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    const auto mine = client.request(websocket(), false);
    EXPECT_EQ(client.head(mine).status, 200);
    client.reset(mine);
    EXPECT_TRUE(upstream->wait_for_aborted(1));

    const auto theirs = client.request(websocket("/reset"), false);
    EXPECT_EQ(client.head(theirs).status, 200);
    client.data(theirs, "x");
    const auto response = client.response(theirs);
    EXPECT_TRUE(response.reset);
    EXPECT_FALSE(response.ended);
}

TEST(H2WebSocket, RefusalsAreOrdinaryAnswers) {
    FakeUpstream upstream([](const Request&) { return text_reply("no", 403); });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.request(websocket(), false));
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "no");
    EXPECT_TRUE(response.ended);
}

// RFC 8441 5: the client would take the answer for its WebSocket.
TEST(H2WebSocket, SuccessWithout101IsNoTunnel) {
    FakeUpstream upstream([](const Request&) { return text_reply("welcome", 200); });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.request(websocket(), false));
    EXPECT_EQ(response.status, 502);
    EXPECT_TRUE(response.ended);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_bad_response");
}

TEST(H2WebSocket, WrongAcceptIsNoTunnel) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n\r\n");
        connection.wait_for_close();
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.request(websocket(), false));
    EXPECT_NE(response.status, 200);
    EXPECT_TRUE(response.reset || response.status == 502);
    EXPECT_TRUE(upstream->wait_for_aborted(1));
}

TEST(H2WebSocket, OffMeansOff) {
    const auto upstream = echo();
    Daemon daemon(with_http2("hosts: { \"*\": { upstream: @UP1@, websocket: off } }\n"),
                  ups(*upstream));
    H2Client client(daemon.http());
    EXPECT_EQ(client.response(client.request(websocket(), false)).status, 403);
}

}  // namespace
}  // namespace proxyd::test
