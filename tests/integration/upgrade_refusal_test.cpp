// What must not become a tunnel.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";
constexpr auto kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n";

TEST(UpgradeRefused, PipelinedRequestIsParsedAndRouted) {
    for (const int status : {200, 400, 403, 426}) {
        SCOPED_TRACE(status);
        FakeUpstream upstream([&](const Request& request) {
            return request.target == "/ws" ? text_reply("no", status) : text_reply("second");
        });
        Daemon daemon(R"(
hosts:
  "*":
    upstream: @UP1@
    locations:
      /: {}
      /admin: { return: 403 }
)",
                      ups(upstream));
        RawClient client(daemon.http());
        client.send(get_request("/ws", kUpgrade) + get_request("/second") + get_request("/admin"));
        EXPECT_EQ(client.read_response().status, status);
        EXPECT_EQ(client.read_response().body, "second");
        EXPECT_EQ(client.read_response().status, 403);
        EXPECT_EQ(upstream.request_count(), 2);
        EXPECT_EQ(upstream.request(1).target, "/second");
        EXPECT_EQ(upstream.request(1).headers.value("X-Forwarded-For"), "127.0.0.1");
        EXPECT_EQ(upstream.garbage(), "");
    }
}

TEST(UpgradeRefused, NothingBehindTheRequestIsSentBefore101) {
    Gate answer;
    std::atomic<bool> bytes_came = false;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        bytes_came = connection.wire().wait_for_event(Duration(200)) != IoStatus::Timeout;
        connection.reply(text_reply("no", 426));
    });
    Daemon daemon(kEveryHost, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/ws", kUpgrade) + "raw bytes for the tunnel");
    EXPECT_EQ(client.read_response().status, 426);
    EXPECT_FALSE(bytes_came);
}

TEST(UpgradeRefused, H2cNeverReachesTheUpstream) {
    FakeUpstream upstream([](const Request&) { return text_reply("plain"); });
    Daemon daemon(kEveryHost, ups(upstream));
    const char* const forms[] = {
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: Upgrade\r\nUpgrade: H2C\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
    };
    for (const auto* form : forms) {
        SCOPED_TRACE(form);
        const auto response = get_once(daemon.http(), "/", form);
        EXPECT_TRUE(response.status == 200 || response.status == 400 || response.status == 403 ||
                    response.status == 426 || response.status == 501)
            << response.status;
        EXPECT_NE(response.status, 101);
    }
    for (const auto& request : upstream.requests()) {
        EXPECT_EQ(to_lower(request.raw_head).find("h2c"), std::string::npos);
        EXPECT_FALSE(request.headers.has("HTTP2-Settings"));
    }
}

TEST(UpgradeRefused, UnlistedTokensOpenNoTunnel) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.send(request.headers.has("Upgrade")
                                ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                  "Upgrade: other\r\n\r\n"
                                : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    Daemon daemon(kEveryHost, ups(*upstream));
    for (const std::string token : {"tls/1.0", "HTTP/3.0", "foo", "websocketx"}) {
        SCOPED_TRACE(token);
        const auto response =
            get_once(daemon.http(), "/", "Connection: Upgrade\r\nUpgrade: " + token + "\r\n");
        EXPECT_NE(response.status, 101);
        for (const auto& request : upstream->requests()) {
            EXPECT_FALSE(request.headers.has("Upgrade"));
        }
    }
}

TEST(UpgradeRefused, WebsocketOffAnswersWithoutAskingForATunnel) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, websocket: off } }\n", ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.get("/ws", kUpgrade);
    EXPECT_GE(response.status, 400);
    EXPECT_LT(response.status, 500);
    EXPECT_EQ(upstream.connections(), 0);
    EXPECT_EQ(get_once(daemon.http(), "/plain").status, 200);
}

TEST(UpgradeRefused, AnswerWithABodyKeepsTheConnectionUsable) {
    FakeUpstream upstream([](const Request& request) {
        return text_reply(std::string(1000, request.target == "/ws" ? 'w' : 'n'),
                          request.target == "/ws" ? 401 : 200);
    });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto refused = client.get("/ws", kUpgrade);
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.body, std::string(1000, 'w'));
    EXPECT_EQ(client.get("/next").body, std::string(1000, 'n'));
}

TEST(UpgradeRefused, Http10CannotUpgrade) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto response =
        client.exchange("GET /ws HTTP/1.0\r\nHost: app.test\r\n" + std::string(kUpgrade) + "\r\n");
    EXPECT_NE(response.status, 101);
    for (const auto& request : upstream.requests()) {
        EXPECT_FALSE(request.headers.has("Upgrade"));
    }
}

}  // namespace
}  // namespace proxyd::test
