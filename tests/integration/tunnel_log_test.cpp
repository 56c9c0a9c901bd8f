// What the logs say of a tunnel: who ended it and how many bytes went to the client.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
constexpr auto kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

// Accepts every upgrade, says hello and listens until the end.
std::unique_ptr<FakeUpstream> greeter() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(kSwitch + std::string("hello"));
        connection.wait_for_close();
    });
}

RawClient open_tunnel(Daemon& daemon) {
    RawClient client(daemon.http());
    client.send(get_request("/ws", kUpgrade));
    EXPECT_EQ(client.read_response().status, 101);
    EXPECT_EQ(client.read_exactly(5), "hello");
    return client;
}

void expect_ended_by(const std::string& timeouts, const std::string& reason) {
    SCOPED_TRACE(timeouts);
    const auto upstream = greeter();
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { " + timeouts + " } } }\n",
                  ups(*upstream));
    auto client = open_tunnel(daemon);
    EXPECT_TRUE(client.closed_by_peer(Duration(5000)));
    EXPECT_EQ(daemon.access(0)["status"].text(), "101");
    EXPECT_EQ(daemon.access(0)["reason"].text(), reason);
    EXPECT_TRUE(daemon.wait_for_log(reason, Duration(3000))) << daemon.log();
}

TEST(TunnelLog, NamesTheLimitThatEndedIt) {
    expect_ended_by("total: 200ms", "timeout_total");
    expect_ended_by("upgraded: 200ms", "timeout_upgraded");
}

TEST(TunnelLog, EndOfEitherSideIsNoError) {
    const auto upstream = greeter();
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    open_tunnel(daemon).close();
    const auto reason = daemon.access(0)["reason"].text();
    EXPECT_TRUE(reason.empty() || reason == "tunnel_closed") << reason;
    EXPECT_EQ(daemon.log().find("/ws"), std::string::npos) << daemon.log();
}

TEST(TunnelLog, BodyBytesAreWhatTheClientGot) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(kSwitch + std::string("hello"));
        if (connection.wire().fill(Deadline(kLimit)) != IoStatus::Ok) return;
        connection.send(std::string(100'000, 'x'));
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    auto client = open_tunnel(daemon);
    client.send("more please");
    EXPECT_EQ(client.read_exactly(100'000).size(), 100'000U);
    client.close();
    EXPECT_EQ(daemon.access(0)["body_bytes_sent"].number(), 100'005);
}

}  // namespace
}  // namespace proxyd::test
