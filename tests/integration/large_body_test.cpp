// Large bodies arrive byte for byte in both directions.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace proxyd::test {
namespace {

constexpr std::size_t kMiB = 1U << 20U;

struct Case {
    const char* name;
    const char* buffering;
    std::size_t mib;
};

class LargeBody : public ::testing::TestWithParam<Case> {
  protected:
    static std::string config() {
        const std::string word = GetParam().buffering;
        return "hosts: { \"*\": { upstream: @UP1@, buffering: " + word +
               ", request_buffering: " + word + " } }\n";
    }

    const std::string body = pattern(GetParam().mib * kMiB, 7);
    const std::uint64_t digest = digest_of(body);
};

TEST_P(LargeBody, DownloadsByLengthAndInChunks) {
    FakeUpstream upstream([&](const Request& request) {
        auto reply = text_reply(body);
        if (request.target == "/chunked") reply.framing = Reply::Framing::Chunked;
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    ReadOptions options;
    options.keep_body = 0;
    for (const auto* target : {"/length", "/chunked"}) {
        SCOPED_TRACE(target);
        client.send(get_request(target));
        const auto response = client.read_response("GET", options);
        EXPECT_TRUE(response.complete()) << response.end;
        EXPECT_EQ(response.body_size, body.size());
        EXPECT_EQ(response.body_digest, digest);
    }
}

TEST_P(LargeBody, UploadsByLengthAndInChunks) {
    FakeUpstream::Options options;
    options.keep_body = 0;
    FakeUpstream upstream([](const Request&) { return text_reply("got it"); }, options);
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    client.send(body_request("PUT", "/length", body));
    EXPECT_EQ(client.read_response().body, "got it");
    client.send("PUT /chunked HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(chunked(body, 60'000));
    EXPECT_EQ(client.read_response().body, "got it");
    for (std::size_t index = 0; index < 2; ++index) {
        EXPECT_EQ(upstream.request(index).body_size, body.size());
        EXPECT_EQ(upstream.request(index).body_digest, digest);
    }
}

TEST_P(LargeBody, BothWaysAtTheSameTime) {
    if (std::string_view(GetParam().buffering) == "on") {
        GTEST_SKIP() << "a buffered request is read before it is answered";
    }
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        ReadOptions options;
        options.keep_body = 0;
        if (!connection.read_head(request)) return;
        std::thread writer([&] {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\n\r\n" + body);
        });
        connection.read_body(request, options);
        writer.join();
    });
    Daemon daemon(config(), ups(*upstream));
    RawClient client(daemon.http());
    std::thread sender([&] { client.try_send(body_request("POST", "/", body)); });
    ReadOptions options;
    options.keep_body = 0;
    const auto response = client.read_response("POST", options);
    sender.join();
    EXPECT_EQ(response.body_digest, digest);
    ASSERT_TRUE(upstream->wait_for_requests(1));
    EXPECT_EQ(upstream->request(0).body_digest, digest);
}

INSTANTIATE_TEST_SUITE_P(Sizes, LargeBody,
                         ::testing::Values(Case{"buffered_1", "on", 1},
                                           Case{"buffered_16", "on", 16},
                                           Case{"streamed_1", "off", 1},
                                           Case{"streamed_64", "off", 64}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace proxyd::test
