// Clients that send what costs them nothing (robustness.md section 4): bounded work, bounded
// memory, and an end with ENHANCE_YOUR_CALM.
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace proxyd::test {
namespace {

using namespace h2;

std::string repeat(const std::string& bytes, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += bytes;
    return all;
}

TEST(H2Flood, RapidResetsEndTheConnectionAndBoundTheBackend) {
    Gate open;
    FakeUpstream upstream([&](const Request&) {
        EXPECT_TRUE(open.wait());
        return text_reply("late");
    });
    Daemon daemon(with_http2("client: { http2: { max_concurrent_streams: 10, "
                             "max_resets_per_minute: 50 } }\nhosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 200; ++i) {
        const auto stream = client.next_stream();
        const auto bytes = frame(kHeaders, kEndHeaders | kEndStream, stream,
                                 literals(request_fields("GET", "/"))) +
                           frame(kRstStream, 0, stream, number(kCancel, 4));
        if (client.try_send(bytes) != IoStatus::Ok) break;
    }
    EXPECT_EQ(client.goaway(), kEnhanceYourCalm);
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(daemon.wait_for_log("http2_flood"));
    EXPECT_LE(upstream.heads(), 30);
    open.open();
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(H2Flood, ResetsThatWeAreMadeToSendCountToo) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { http2: { max_resets_per_minute: 50 } }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 100; ++i) {
        const auto stream = client.next_stream();
        const auto bytes =
            frame(kHeaders, kEndHeaders, stream, literals(request_fields("POST", "/"))) +
            frame(kWindowUpdate, 0, stream, number(0x7fffffff, 4));
        if (client.try_send(bytes) != IoStatus::Ok) break;
    }
    EXPECT_EQ(client.goaway(), kEnhanceYourCalm);
}

TEST(H2Flood, ResetsWithoutAnErrorCountToo) {
    FakeUpstream upstream([](const Request&) { return text_reply("fine"); });
    Daemon daemon(with_http2("client: { http2: { max_resets_per_minute: 50 } }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 100; ++i) {
        const auto stream = client.next_stream();
        const auto bytes =
            frame(kHeaders, kEndHeaders, stream, literals(request_fields("POST", "/"))) +
            frame(kRstStream, 0, stream, number(kNoError, 4));
        if (client.try_send(bytes) != IoStatus::Ok) break;
    }
    EXPECT_EQ(client.goaway(), kEnhanceYourCalm);
}

TEST(H2Flood, APingForEachSmallAnswerIsFine) {
    FakeUpstream upstream([](const Request&) { return text_reply("x"); });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 3000; ++i) {
        ASSERT_EQ(client.response(client.get("/")).status, 200) << i;
        ASSERT_TRUE(client.settle());  // as gRPC does to measure the way
    }
}

TEST(H2Flood, WhoGoesOnSendingAfterTheEndIsClosed) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    const auto before = daemon.open_files();
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    client.send(frame(kData, 0, 0, "x"));
    EXPECT_EQ(client.goaway(), kProtocolError);
    const Deadline deadline(std::chrono::seconds(6));
    while (!deadline.passed() && daemon.open_files() > before) {
        (void)client.try_send("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    EXPECT_LE(daemon.open_files(), before);
}

TEST(H2Flood, FewResetsAreFine) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    for (int i = 0; i < 100; ++i) client.reset(client.get("/"));
    EXPECT_EQ(client.response(client.get("/")).status, 200);
}

TEST(H2Flood, StreamsBeyondTheLimitAreRefused) {
    Gate open;
    FakeUpstream upstream([&](const Request&) {
        EXPECT_TRUE(open.wait());
        return text_reply("late");
    });
    Daemon daemon(with_http2("client: { http2: { max_concurrent_streams: 10 } }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client early(daemon.http());  // has not heard of the limit yet
    for (int i = 0; i < 10; ++i) early.get("/");
    EXPECT_EQ(early.response(early.get("/")).reset, kRefusedStream);
    EXPECT_EQ(early.settings().at(3), 10U);
    EXPECT_LE(upstream.heads(), 10);
    open.open();
    EXPECT_EQ(early.response(1).status, 200);
}

TEST(H2Flood, StreamsBeyondTheLimitThatTheClientKnowsAreAViolation) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    Daemon daemon(with_http2("client: { http2: { max_concurrent_streams: 10 } }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(*upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    for (int i = 0; i < 11; ++i) client.get("/");
    EXPECT_EQ(client.goaway(), kProtocolError);
}

struct Flood {
    const char* name;
    std::string frame;
};

TEST(H2Flood, FramesWithoutUseEndTheConnectionAndCostLittle) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(upstream));
    const auto open = frame(kHeaders, kEndHeaders, 1, literals(request_fields("POST", "/")));
    const std::vector<Flood> floods{
        {"PING", frame(kPing, 0, 0, "12345678")},
        {"SETTINGS", frame(kSettings, 0, 0, setting(4, 65'535))},
        {"PRIORITY", frame(kPriority, 0, 5, number(0, 4) + "\x01")},
        {"WINDOW_UPDATE", frame(kWindowUpdate, 0, 0, number(1, 4))},
        {"WINDOW_UPDATE of the stream", frame(kWindowUpdate, 0, 1, number(1, 4))},
        {"empty DATA", frame(kData, 0, 1)},
        {"RST_STREAM of a closed stream", frame(kRstStream, 0, 1, number(8, 4))},
    };
    for (const auto& flood : floods) {
        SCOPED_TRACE(flood.name);
        const auto cpu = daemon.cpu_seconds();
        H2Client client(daemon.http());
        client.send(open);
        const auto many = repeat(flood.frame, 1000);
        for (int i = 0; i < 100; ++i) {
            if (client.try_send(many) != IoStatus::Ok) break;
        }
        EXPECT_EQ(client.goaway(), kEnhanceYourCalm);
        if (!daemon.sanitized()) {
            EXPECT_LT(daemon.cpu_seconds() - cpu, 1.0);
        }
    }
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

// As gRPC's clients do: windows opened for each message, a PING to measure the line.
TEST(H2Flood, FramesThatFollowFromSmallAnswersAreFine) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(upstream));
    H2Client client(daemon.http());
    for (int count = 0; count < 1500; ++count) {
        const auto stream = client.get("/");
        ASSERT_TRUE(client.response(stream).complete()) << count;
        client.send(frame(kWindowUpdate, 0, 0, number(2, 4)) + frame(kPing, 0, 0, "12345678"));
    }
}

TEST(H2Flood, TinyWindowsEndTheConnection) {
    FakeUpstream upstream([](const Request&) { return text_reply(std::string(100'000, 'x')); });
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(upstream));
    H2Options options;
    options.stream_window = 1;
    options.open_windows = false;
    H2Client client(daemon.http(), options);
    const auto stream = client.get("/");
    for (std::size_t count = 1; count < 5000; ++count) {
        if (client.body(stream, count).body.size() < count) break;
        if (client.try_send(frame(kWindowUpdate, 0, stream, number(1, 4))) != IoStatus::Ok) break;
    }
    EXPECT_EQ(client.goaway(), kEnhanceYourCalm);
}

TEST(H2Flood, UnknownFramesAreIgnoredAndCostLittle) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(upstream));
    const auto cpu = daemon.cpu_seconds();
    H2Client client(daemon.http());
    const auto many = repeat(frame(0xcc, 0, 0, "x"), 1000);
    for (int i = 0; i < 100; ++i) client.send(many);
    EXPECT_EQ(client.response(client.get("/")).status, 200);
    if (!daemon.sanitized()) {
        EXPECT_LT(daemon.cpu_seconds() - cpu, 1.0);
    }
}

TEST(H2Flood, AnswersThatNobodyReadsAreBounded) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("workers: 1\nclient: { send_timeout: 500ms }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    const auto before = daemon.rss_kib();
    H2Options options;
    options.client.receive_buffer = 4096;
    options.client.limit = Duration(2000);
    H2Client client(daemon.http(), options);
    const auto many = repeat(frame(kPing, 0, 0, "12345678"), 1000);
    for (int i = 0; i < 200; ++i) {
        if (client.try_send(many) != IoStatus::Ok) break;
    }
    if (!daemon.sanitized()) {
        EXPECT_LT(daemon.rss_kib(), before + 4096);
    }
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(H2Flood, ContinuationsHaveAnEnd) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    const std::vector<std::string> pieces{"", literals({{"x-a", std::string(1000, 'a')}})};
    for (const auto& piece : pieces) {
        H2Client client(daemon.http());
        client.send(frame(kHeaders, kEndStream, client.next_stream(),
                          literals(request_fields("GET", "/"))));
        const auto many = repeat(frame(kContinuation, 0, 1, piece), 100);
        for (int i = 0; i < 100; ++i) {
            if (client.try_send(many) != IoStatus::Ok) break;
        }
        EXPECT_TRUE(client.goaway().value_or(0) != 0);
        EXPECT_TRUE(client.closed());
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(H2Flood, CompressionBombsAreRefusedWithinTheirMemory) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("workers: 1\nhosts: { \"*\": @UP1@ }\n"), ups(upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    const auto before = daemon.rss_kib();
    // One entry of nearly 4 KiB in the table, then thousands of references to it.
    const std::string bomb = "\x40" + number(5, 1) + "x-big" + "\x7f" + "\xa1\x1e" +
                             std::string(4000, 'a') + std::string(10'000, '\xbe');
    for (int i = 0; i < 50; ++i) {
        const auto stream = client.next_stream();
        const auto block = literals(request_fields("GET", "/")) + bomb;
        client.send(frame(kHeaders, kEndHeaders | kEndStream, stream, block));
        const auto response = client.response(stream);
        EXPECT_TRUE(response.reset || response.status == 431);
    }
    if (!daemon.sanitized()) {
        EXPECT_LT(daemon.rss_kib(), before + 4096);
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(H2Flood, CrumbsOfCookiesAreBounded) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    Headers crumbs;
    for (int i = 0; i < 6000; ++i) crumbs.add("cookie", "a");
    const auto stream = client.get("/", crumbs);
    EXPECT_EQ(client.response(stream).status, 431);
}

}  // namespace
}  // namespace proxyd::test
