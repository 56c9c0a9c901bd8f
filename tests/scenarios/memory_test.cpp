// Memory is a matter of configured limits: slow sides and idle connections cost little.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <thread>

namespace proxyd::test {
namespace {

constexpr std::size_t kMayGrowKib = 2048;

std::size_t total_bytes() {
    return std::size_t{std::getenv("PROXYD_LONG_TESTS") != nullptr ? 1024U : 256U} << 20U;
}

// The largest resident size while it lives, sampled beside the test.
class PeakMemory {
  public:
    explicit PeakMemory(const Daemon& daemon)
        : base_(daemon.rss_kib()), sampler_([this, &daemon](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                  peak_ = std::max(peak_.load(), daemon.rss_kib());
                  std::this_thread::sleep_for(Duration(5));
              }
          }) {}

    std::size_t growth_kib() {
        sampler_.request_stop();
        sampler_.join();
        return peak_ > base_ ? peak_ - base_ : 0;
    }

  private:
    std::size_t base_;
    std::atomic<std::size_t> peak_ = 0;
    std::jthread sampler_;
};

TEST(Memory, SlowReaderOfALargeAnswerCostsLittle) {
    const std::string block(1U << 18U, 'x');
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            const auto size = std::stoull(request.target.substr(1));
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) +
                            "\r\n\r\n");
            for (std::size_t sent = 0; sent < size; sent += block.size()) {
                const auto part = std::min<std::size_t>(block.size(), size - sent);
                if (connection.send(std::string_view(block).substr(0, part),
                                    std::chrono::minutes(5)) != IoStatus::Ok)
                    return;
            }
        }
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    ClientOptions options;
    options.receive_buffer = 65'536;
    options.limit = std::chrono::minutes(5);
    RawClient client(daemon.http(), options);
    client.send(get_request("/1000"));
    ASSERT_EQ(client.read_response().body_size, 1000U);
    PeakMemory peak(daemon);
    client.send(get_request("/" + std::to_string(total_bytes())));
    auto head = client.read_head();
    ASSERT_EQ(head.status, 200);
    // Rest for a while, then read in small pieces: the upstream is always ahead.
    EXPECT_FALSE(client.wire().wait_for_event(Duration(300)) == IoStatus::Eof);
    std::this_thread::sleep_for(Duration(300));
    ReadOptions reading;
    reading.keep_body = 0;
    reading.limit = options.limit;
    reading.receive_size = 16'384;
    client.read_body(head, "GET", reading);
    EXPECT_TRUE(head.complete()) << head.end;
    EXPECT_EQ(head.body_size, total_bytes());
    EXPECT_LT(peak.growth_kib(), kMayGrowKib);
}

TEST(Memory, FastUploadToASlowUpstreamCostsLittle) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        ReadOptions options;
        options.keep_body = 0;
        options.receive_size = 16'384;
        options.limit = std::chrono::minutes(5);
        while (connection.read_head(request)) {
            connection.pause(Duration(300));
            connection.read_body(request, options);
            connection.reply(text_reply(std::to_string(request.body_size)));
        }
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n",
                  ups(*upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    ClientOptions options;
    options.limit = std::chrono::minutes(5);
    RawClient client(daemon.http(), options);
    ASSERT_EQ(client.exchange(body_request("PUT", "/", "warm")).body, "4");
    PeakMemory peak(daemon);
    client.send("PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " +
                std::to_string(total_bytes()) + "\r\n\r\n");
    const std::string block(1U << 18U, 'x');
    for (std::size_t sent = 0; sent < total_bytes(); sent += block.size()) client.send(block);
    EXPECT_EQ(client.read_response().body, std::to_string(total_bytes()));
    EXPECT_LT(peak.growth_kib(), kMayGrowKib);
}

TEST(Memory, BufferedUploadIsBoundedByItsBuffer) {
    FakeUpstream::Options keep_nothing;
    keep_nothing.keep_body = 0;
    FakeUpstream upstream(
        [](const Request& request) { return text_reply(std::to_string(request.body_size)); },
        keep_nothing);
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    RawClient client(daemon.http());
    ASSERT_EQ(client.exchange(body_request("PUT", "/", "warm")).body, "4");
    PeakMemory peak(daemon);
    constexpr std::size_t kSize = 64U << 20U;
    EXPECT_EQ(client.exchange(body_request("PUT", "/", std::string(kSize, 'x'))).body,
              std::to_string(kSize));
    EXPECT_LT(peak.growth_kib(), kMayGrowKib);
}

TEST(Memory, IdleConnectionCostsAtMost2KiB) {
    constexpr std::size_t kCount = 4000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < kCount + 500) GTEST_SKIP() << "not enough descriptors";
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    FakeUpstream upstream;
    Daemon daemon("client: { keepalive_timeout: 300s }\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    if (daemon.sanitized()) GTEST_SKIP() << "a sanitizer's memory says nothing";
    std::deque<RawClient> clients;
    const auto open = [&](std::size_t count) {
        for (std::size_t number = 0; number < count; ++number) {
            auto& client = clients.emplace_back(daemon.http());
            EXPECT_EQ(client.get("/").status, 200);
        }
    };
    open(200);
    std::this_thread::sleep_for(Duration(1500));
    const auto before = daemon.rss_kib();
    open(kCount);
    // Idle for a second, a connection gives its buffers back.
    EXPECT_TRUE(eventually([&] { return daemon.rss_kib() < before + kCount * 2; }, Duration(8000)))
        << (daemon.rss_kib() - before) * 1024 / kCount << " bytes for each connection";
    EXPECT_EQ(clients.back().get("/").status, 200);
}

}  // namespace
}  // namespace proxyd::test
