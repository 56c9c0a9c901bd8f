// Reload: listeners, exchanges and tunnels live on; load does not notice.
#include "support/daemon.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string answering(const std::string& body, const std::string& more = "") {
    return more + "hosts: { app.test: { return: { status: 200, body: " + body + " } } }\n";
}

TEST(Reload, ListenersComeAndGo) {
    const std::string both =
        "listeners: { http: \"127.0.0.1:@HTTP@\", second: \"127.0.0.1:@HTTP2@\" }\n";
    Daemon daemon(answering("one"));
    EXPECT_THROW(RawClient{daemon.port("HTTP2")}, std::runtime_error);
    daemon.reload(answering("two", both));
    EXPECT_EQ(get_once(daemon.port("HTTP2"), "/").body, "two");
    EXPECT_EQ(get_once(daemon.http(), "/").body, "two");
    daemon.reload(answering("three"));
    EXPECT_TRUE(eventually([&] {
        try {
            RawClient client(daemon.port("HTTP2"));
            return false;
        } catch (const std::runtime_error&) {
            return true;
        }
    }));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "three");
}

TEST(Reload, KeptConnectionsStayAndMeetTheNewConfiguration) {
    Daemon daemon(answering("one"));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").body, "one");
    daemon.reload(answering("two"));
    EXPECT_EQ(client.get("/").body, "two");
}

TEST(Reload, AnExchangeKeepsTheConfigurationItStartedWith) {
    Gate answer;
    FakeUpstream old_one([&](const Request&) {
        static_cast<void>(answer.wait());
        return text_reply("old");
    });
    FakeUpstream new_one([](const Request&) { return text_reply("new"); });
    const auto config = [](const char* name, const char* upstream) {
        return std::string("hosts: { \"*\": { upstream: ") + upstream +
               ", response_headers: { set: { X-Config: " + name + " } } } }\n";
    };
    Daemon daemon(config("first", "@UP1@"), ups(old_one, new_one));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(old_one.wait_for_requests(1));
    daemon.reload(config("second", "@UP2@"));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "new");
    answer.open();
    const auto response = client.read_response();
    EXPECT_EQ(response.body, "old");
    EXPECT_EQ(response.headers.value("X-Config"), "first");
    EXPECT_EQ(client.get("/").headers.value("X-Config"), "second");
}

TEST(Reload, TunnelsSurvive) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\n");
        auto& wire = connection.wire();
        while (!wire.view().empty() || wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
            connection.send(wire.view());
            wire.consume(wire.view().size());
        }
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/",
                            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"));
    ASSERT_EQ(client.read_response().status, 101);
    for (int count = 0; count < 5; ++count) {
        daemon.reload(answering("x" + std::to_string(count)));
        client.send("ping");
        EXPECT_EQ(client.read_exactly(4), "ping");
    }
}

TEST(Reload, LargeAnswerAcrossAReloadArrivesWhole) {
    FakeUpstream upstream([](const Request&) { return text_reply(std::string(20U << 20U, 'x')); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    ClientOptions options;
    options.receive_buffer = 16'384;
    RawClient client(daemon.http(), options);
    client.send(get_request("/"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    daemon.reload("hosts: { \"*\": { return: 410 } }\n");
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body_size, 20U << 20U);
    EXPECT_EQ(client.get("/").status, 410);
}

class ReloadUnderLoad : public ::testing::TestWithParam<bool> {};

TEST_P(ReloadUnderLoad, FiftyReloadsFailNoRequest) {
    FakeUpstream upstream([](const Request&) { return text_reply("always the same"); });
    const auto config = [](int number) {
        return "hosts:\n  \"*\":\n    upstream: @UP1@\n    response_headers: { set: { X-N: n" +
               std::to_string(number) + " } }\n";
    };
    Daemon daemon(config(0), ups(upstream));
    Load::Options options;
    options.keepalive = GetParam();
    options.expected_body = "always the same";
    Load load(daemon.http(), options);
    ASSERT_TRUE(load.wait_for_answers(20));
    for (int number = 1; number <= 50; ++number) {
        const int before = load.answered();
        daemon.reload(config(number));
        ASSERT_TRUE(load.failures().empty() && load.wait_for_answers(before + 4));
    }
    load.stop();
    for (const auto& failure : load.failures()) ADD_FAILURE() << failure;
    EXPECT_EQ(get_once(daemon.http(), "/").headers.value("X-N"), "n50");
}

INSTANTIATE_TEST_SUITE_P(OverKeptConnections, ReloadUnderLoad, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(OverNewConnections, ReloadUnderLoad, ::testing::Values(false));

TEST(Reload, RepeatedOnesLeaveNothingBehind) {
    Daemon daemon(answering("x"));
    get_once(daemon.http(), "/");
    daemon.reload(answering("y"));
    const auto files = daemon.open_files();
    for (int count = 0; count < 20; ++count) daemon.reload(answering("y" + std::to_string(count)));
    EXPECT_TRUE(eventually([&] { return daemon.open_files() <= files + 2; }))
        << files << " files open before, " << daemon.open_files() << " after";
}

TEST(Reload, RefusedOnesUnderLoadFailNoRequest) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    Load load(daemon.http());
    ASSERT_TRUE(load.wait_for_answers(20));
    for (int count = 0; count < 10; ++count) {
        daemon.write_config("hosts: { \"*\": nowhere_to_be_found }\n");
        EXPECT_NE(daemon.cli({"-s", "reload"}).exit_code, 0);
    }
    EXPECT_TRUE(load.wait_for_answers(load.answered() + 20));
    load.stop();
    for (const auto& failure : load.failures()) ADD_FAILURE() << failure;
}

}  // namespace
}  // namespace proxyd::test
