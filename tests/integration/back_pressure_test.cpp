// A slow side slows the other one down: nothing piles up here.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace proxyd::test {
namespace {

constexpr std::size_t kTotal = 256U << 20U;

// How far one side may run ahead of a stopped other side: both sockets' buffers in the kernel
// (some MiB each on loopback) and what the configuration allows here.
constexpr std::size_t kAhead = 64U << 20U;

TEST(BackPressure, StoppedClientStopsTheUpstream) {
    for (const std::string buffering : {"on", "off"}) {
        SCOPED_TRACE("buffering " + buffering);
        std::atomic<std::size_t> sent = 0;
        const std::string block(1U << 18U, 'x');
        const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
            Request request;
            if (!connection.read_request(request)) return;
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kTotal) +
                            "\r\n\r\n");
            while (sent < kTotal && connection.send(block) == IoStatus::Ok) sent += block.size();
        });
        Daemon daemon("hosts: { \"*\": { upstream: @UP1@, buffering: " + buffering + " } }\n",
                      ups(*upstream));
        ClientOptions options;
        options.receive_buffer = 16'384;
        RawClient client(daemon.http(), options);
        client.send(get_request("/"));
        // Wait until the flow has come to rest.
        std::size_t before = 1;
        ASSERT_TRUE(eventually([&] {
            const std::size_t now = sent;
            const bool still = now == before && now > 0;
            before = now;
            std::this_thread::sleep_for(Duration(100));
            return still;
        }));
        EXPECT_LT(sent, kAhead);
        ReadOptions reading;
        reading.keep_body = 0;
        const auto response = client.read_response("GET", reading);
        EXPECT_TRUE(response.complete()) << response.end;
        EXPECT_EQ(response.body_size, kTotal);
    }
}

TEST(BackPressure, StoppedUpstreamStopsTheClient) {
    Gate go_on;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        ReadOptions options;
        options.keep_body = 0;
        if (!connection.read_head(request) || !go_on.wait(std::chrono::minutes(1))) return;
        connection.read_body(request, options);
        connection.reply(text_reply(std::to_string(request.body_size)));
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    client.send("PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + std::to_string(kTotal) +
                "\r\n\r\n");
    const std::string block(1U << 18U, 'x');
    const auto before = client.wire().sent();
    while (client.wire().sent() - before < kAhead &&
           client.try_send(block, Duration(300)) == IoStatus::Ok) {
    }
    EXPECT_LT(client.wire().sent() - before, kAhead);
    go_on.open();
    std::size_t left = kTotal - (client.wire().sent() - before);
    while (left > 0) {
        const auto part = std::min(left, block.size());
        client.send(std::string_view(block).substr(0, part));
        left -= part;
    }
    EXPECT_EQ(client.read_response().body, std::to_string(kTotal));
}

TEST(BackPressure, SlowReaderDoesNotSlowOthersDown) {
    FakeUpstream upstream([](const Request& request) {
        return text_reply(request.target == "/big" ? std::string(32U << 20U, 'x') : "small");
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    ClientOptions options;
    options.receive_buffer = 4096;
    RawClient slow(daemon.http(), options);
    slow.send(get_request("/big"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    for (int count = 0; count < 50; ++count) {
        const auto start = Clock::now();
        ASSERT_EQ(get_once(daemon.http(), "/small").body, "small");
        EXPECT_LT(Clock::now() - start, Duration(1000));
    }
    ReadOptions reading;
    reading.keep_body = 0;
    EXPECT_EQ(slow.read_response("GET", reading).body_size, 32U << 20U);
}

}  // namespace
}  // namespace proxyd::test
