// QUIT: what runs is finished, nothing new is taken, and there is an end.
#include "support/daemon.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <deque>

namespace proxyd::test {
namespace {

TEST(Drain, RequestsInFlightAreAnsweredAndTheExitIsZero) {
    Gate answer;
    FakeUpstream upstream([&](const Request& request) {
        static_cast<void>(answer.wait());
        return text_reply("for " + request.target);
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    std::deque<RawClient> clients;
    for (int number = 0; number < 20; ++number) {
        clients.emplace_back(daemon.http()).send(get_request("/" + std::to_string(number)));
    }
    ASSERT_TRUE(upstream.wait_for_requests(20));
    daemon.signal(SIGQUIT);
    ASSERT_TRUE(daemon.notify().wait_for("STOPPING=1"));
    EXPECT_TRUE(eventually([&] {
        try {
            RawClient late(daemon.http());
            return false;
        } catch (const std::runtime_error&) {
            return true;
        }
    })) << "new connections are still taken";
    answer.open();
    for (int number = 0; number < 20; ++number) {
        const auto response = clients[number].read_response();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "for /" + std::to_string(number));
        EXPECT_TRUE(clients[number].closed_by_peer());
    }
    EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
}

TEST(Drain, IdleConnectionsAreClosedAtOnce) {
    FakeUpstream upstream;
    Daemon daemon("shutdown_timeout: 60s\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);
    daemon.signal(SIGQUIT);
    EXPECT_TRUE(client.closed_by_peer(Duration(5000)));
    EXPECT_EQ(daemon.wait_exit(Duration(10'000)), (ExitStatus{0, 0}));
}

TEST(Drain, StuckRequestsEndWithTheShutdownTimeout) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close(std::chrono::minutes(1));
    });
    Daemon daemon("shutdown_timeout: 500ms\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    const auto start = Clock::now();
    daemon.signal(SIGQUIT);
    daemon.wait_exit(Duration(10'000));
    EXPECT_GE(Clock::now() - start, Duration(400));
}

TEST(Drain, BodiesOnTheirWayArriveWhole) {
    FakeUpstream upstream([](const Request&) { return text_reply(std::string(20U << 20U, 'x')); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    ClientOptions options;
    options.receive_buffer = 16'384;
    RawClient client(daemon.http(), options);
    client.send(get_request("/"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    daemon.signal(SIGQUIT);
    const auto response = client.read_response();
    EXPECT_TRUE(response.complete()) << response.end;
    EXPECT_EQ(response.body_size, 20U << 20U);
    EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
}

TEST(Drain, QuitUnderLoadLosesNothing) {
    FakeUpstream upstream;
    for (int round = 0; round < 3; ++round) {
        Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
        Load load(daemon.http());
        ASSERT_TRUE(load.wait_for_answers(100));
        load.expect_shutdown();
        daemon.signal(SIGQUIT);
        EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
        load.stop();
        for (const auto& failure : load.failures()) ADD_FAILURE() << failure;
    }
}

TEST(Drain, AccessLinesOfTheLastRequestsAreWritten) {
    Gate answer;
    FakeUpstream upstream([&](const Request&) {
        static_cast<void>(answer.wait());
        return text_reply("x");
    });
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, format: json, buffer: 64k, "
        "flush: 60s } }\nhosts: { \"*\": @UP1@ }\n",
        ups(upstream));
    RawClient client(daemon.http());
    client.send(get_request("/last"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    daemon.signal(SIGQUIT);
    answer.open();
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
    ASSERT_EQ(daemon.access_lines().size(), 1U);
    EXPECT_NE(daemon.access_lines()[0].find("/last"), std::string::npos);
}

}  // namespace
}  // namespace proxyd::test
