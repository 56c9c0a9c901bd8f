// The upgrade tunnel: opened by a 101 that was asked for, both directions, half-close, its time.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";
constexpr auto kUpgrade =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n";
constexpr auto kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n\r\n";

// Accepts every upgrade and sends back what comes.
std::unique_ptr<FakeUpstream> echo(const std::string& greeting = "") {
    return FakeUpstream::scripted([=](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(kSwitch + greeting);
        auto& wire = connection.wire();
        while (!wire.view().empty() || wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
            if (connection.send(wire.view()) != IoStatus::Ok) return;
            wire.consume(wire.view().size());
        }
    });
}

RawClient open_tunnel(Daemon& daemon, const std::string& behind = "") {
    RawClient client(daemon.http());
    client.send(get_request("/ws", kUpgrade) + behind);
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 101);
    EXPECT_EQ(to_lower(response.headers.value("Upgrade")), "websocket");
    EXPECT_EQ(to_lower(response.headers.value("Connection")), "upgrade");
    EXPECT_EQ(response.headers.value("Sec-WebSocket-Accept"), "abc");
    return client;
}

TEST(WebSocket, BytesPassBothWays) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon);
    for (const std::string text : {"hello", "\x81\x85mask", "GET / HTTP/1.1\r\n\r\n"}) {
        client.send(text);
        EXPECT_EQ(client.read_exactly(text.size()), text);
    }
    const auto request = upstream->request(0);
    EXPECT_EQ(to_lower(request.headers.value("Upgrade")), "websocket");
    EXPECT_EQ(to_lower(request.headers.value("Connection")), "upgrade");
    EXPECT_EQ(request.headers.value("Sec-WebSocket-Key"), "dGhlIHNhbXBsZQ==");
    EXPECT_EQ(request.headers.value("X-Forwarded-For"), "127.0.0.1");
}

TEST(WebSocket, UpstreamMaySpeakFirst) {
    const auto upstream = echo("greeting");
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon);
    EXPECT_EQ(client.read_exactly(8), "greeting");
}

TEST(WebSocket, BytesSentBehindTheRequestBelongToTheTunnelAfter101) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon, "early bytes");
    EXPECT_EQ(client.read_exactly(11), "early bytes");
}

TEST(WebSocket, LargeTransfersKeepTheirBytes) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon);
    const auto bytes = pattern(8U << 20U);
    std::thread sender([&] { client.try_send(bytes); });
    Digest digest;
    Wire& wire = client.wire();
    std::size_t got = 0;
    while (got < bytes.size()) {
        char part[65'536];
        pollfd entry{wire.fd(), POLLIN, 0};
        if (::poll(&entry, 1, 10'000) != 1) break;
        const auto count = ::recv(wire.fd(), part, sizeof part, MSG_DONTWAIT);
        if (count <= 0) break;
        digest.add({part, static_cast<std::size_t>(count)});
        got += static_cast<std::size_t>(count);
    }
    sender.join();
    EXPECT_EQ(got, bytes.size());
    EXPECT_EQ(digest.value(), digest_of(bytes));
}

TEST(WebSocket, HalfCloseOfTheClientIsPassedOnAndTheOtherWayGoesOn) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(kSwitch);
        if (connection.wire().wait_for_close() == IoStatus::Eof) connection.send("after your end");
    });
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon);
    client.send("last words");
    client.half_close();
    const auto rest = client.read_until_close();
    EXPECT_EQ(rest.text, "after your end");
    EXPECT_EQ(rest.end, IoStatus::Eof);
}

TEST(WebSocket, HalfCloseOfTheUpstreamIsPassedOnAndTheOtherWayGoesOn) {
    Watched<std::string> heard;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(kSwitch + std::string("bye"));
        connection.half_close();
        auto& wire = connection.wire();
        while (wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
        }
        heard.change([&](auto& text) { text = wire.view(); });
    });
    Daemon daemon(kEveryHost, ups(*upstream));
    auto client = open_tunnel(daemon);
    const auto rest = client.read_until_close();
    EXPECT_EQ(rest.text, "bye");
    client.send("still talking");
    client.half_close();
    EXPECT_TRUE(heard.wait([](const auto& text) { return text == "still talking"; }));
}

TEST(WebSocket, EitherEndClosesTheOther) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    {
        auto client = open_tunnel(daemon);
        client.reset();
        EXPECT_TRUE(upstream->wait_for_open(0));
    }
    auto client = open_tunnel(daemon);
    upstream->drop_connections();
    EXPECT_TRUE(client.read_until_close().closed());
}

TEST(WebSocket, TunnelsConnectionIsNeverPooled) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    {
        auto client = open_tunnel(daemon);
        client.send("x");
        EXPECT_EQ(client.read_exactly(1), "x");
    }
    EXPECT_TRUE(upstream->wait_for_open(0));
    open_tunnel(daemon);
    EXPECT_EQ(upstream->connections(), 2);
}

TEST(WebSocket, SilenceEndsTheTunnelAfterItsOwnTime) {
    const auto upstream = echo();
    Daemon daemon(
        "hosts: { \"*\": { upstream: @UP1@, "
        "timeouts: { read: 100ms, upgraded: 500ms } } }\n",
        ups(*upstream));
    auto client = open_tunnel(daemon);
    // Silent for longer than timeouts.read, and bytes start upgraded again.
    for (int count = 0; count < 4; ++count) {
        EXPECT_TRUE(client.silent_for(Duration(250)));
        client.send("x");
        EXPECT_EQ(client.read_exactly(1), "x");
    }
    EXPECT_TRUE(client.closed_by_peer(Duration(5000)));
    EXPECT_TRUE(upstream->wait_for_open(0));
}

TEST(WebSocket, AccessLogHasOneLineWith101) {
    const auto upstream = echo();
    Daemon daemon(kEveryHost, ups(*upstream));
    open_tunnel(daemon).close();
    EXPECT_EQ(daemon.access(0)["status"].text(), "101");
    EXPECT_EQ(daemon.access(0)["request_uri"].text(), "/ws");
}

}  // namespace
}  // namespace proxyd::test
