// A reader that is always a little slower than the upstream, and never lets the queue run dry.
// A unix socket holds little, as a TCP connection to a far client does.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace proxyd::test {
namespace {

constexpr std::size_t kSize = 300U << 20U;
constexpr std::size_t kMayGrowKib = 8192;
constexpr std::size_t kPiece = 1U << 18U;

constexpr auto kConfig = R"(
workers: 1
listeners: { http: "unix:@TMP@/listen.sock" }
hosts: { "*": @UP1@ }
)";

// Sends `head` and then kSize bytes as fast as they go.
std::unique_ptr<FakeUpstream> source(const std::string& head) {
    return FakeUpstream::scripted([=](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(head);
        const std::string block(kPiece, 'x');
        for (std::size_t sent = 0; sent < kSize; sent += block.size()) {
            if (connection.send(block) != IoStatus::Ok) return;
        }
        connection.wait_for_close();
    });
}

// Reads kSize bytes with small rests; how much memory the daemon took on the way, in KiB.
std::size_t growth_while_reading(const Daemon& daemon, RawClient& client) {
    const auto base = daemon.rss_kib();
    std::size_t peak = base;
    std::size_t got = client.read_some().size();
    for (int count = 0; got < kSize && peak < base + 8 * kMayGrowKib; ++count) {
        const auto part = client.read_some(kLimit, kPiece).size();
        if (part == 0) break;
        got += part;
        std::this_thread::sleep_for(std::chrono::microseconds(300));
        if (count % 16 == 0) peak = std::max(peak, daemon.rss_kib());
    }
    if (peak < base + 8 * kMayGrowKib) {
        EXPECT_EQ(got, kSize);
    }
    return peak - base;
}

TEST(OutputMemory, AnswerToAReaderThatNeverCatchesUp) {
    const auto upstream =
        source("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    Daemon daemon(kConfig, ups(*upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    RawClient client(daemon.directory() / "listen.sock");
    client.send(get_request("/"));
    ASSERT_EQ(client.read_head().status, 200);
    EXPECT_LT(growth_while_reading(daemon, client), kMayGrowKib);
}

TEST(OutputMemory, TunnelToAReaderThatNeverCatchesUp) {
    const auto upstream = source(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    Daemon daemon(kConfig, ups(*upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    RawClient client(daemon.directory() / "listen.sock");
    client.send(get_request("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    ASSERT_EQ(client.read_head().status, 101);
    EXPECT_LT(growth_while_reading(daemon, client), kMayGrowKib);
}

}  // namespace
}  // namespace proxyd::test
