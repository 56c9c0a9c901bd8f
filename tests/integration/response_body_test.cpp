// Answers in every framing arrive whole and end rightly.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";

Reply framed(const Request& request, const std::string& body) {
    auto reply = text_reply(body);
    if (request.target == "/chunked") {
        reply.framing = Reply::Framing::Chunked;
        reply.trailers.add("X-Sum", "42");
    } else if (request.target == "/close") {
        reply.framing = Reply::Framing::UntilClose;
    }
    return reply;
}

TEST(ResponseBody, EveryFramingArrivesWhole) {
    const auto body = pattern(150'000);
    FakeUpstream upstream([&](const Request& request) { return framed(request, body); });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    for (const auto* target : {"/length", "/chunked", "/close", "/length"}) {
        SCOPED_TRACE(target);
        const auto response = client.get(target);
        EXPECT_EQ(response.status, 200);
        EXPECT_TRUE(response.complete()) << response.end;
        EXPECT_NE(response.end, MessageEnd::ConnectionClose);
        EXPECT_EQ(response.body_digest, digest_of(body));
    }
}

TEST(ResponseBody, ContentLengthIsKept) {
    FakeUpstream upstream([](const Request&) { return text_reply("twelve bytes"); });
    Daemon daemon(kEveryHost, ups(upstream));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.end, MessageEnd::Length);
    EXPECT_EQ(response.headers.value("Content-Length"), "12");
    EXPECT_FALSE(response.headers.has("Transfer-Encoding"));
}

TEST(ResponseBody, TrailersPassToTheClient) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("abc");
        reply.framing = Reply::Framing::Chunked;
        reply.headers.add("Trailer", "X-Sum");
        reply.trailers.add("X-Sum", "42");
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    const auto response = get_once(daemon.http(), "/", "TE: trailers\r\n");
    EXPECT_EQ(response.end, MessageEnd::LastChunk);
    EXPECT_EQ(response.body, "abc");
    EXPECT_EQ(response.trailers.value("X-Sum"), "42");
}

TEST(ResponseBody, HeadAnswersKeepTheirLengthAndHaveNoBody) {
    FakeUpstream upstream([](const Request& request) { return framed(request, "12345"); });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto head = client.exchange("HEAD /length HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.value("Content-Length"), "5");
    EXPECT_EQ(client.exchange("HEAD /chunked HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD").status,
              200);
    // The next answer starts right behind the head: nothing was sent as a body.
    EXPECT_EQ(client.get("/length").body, "12345");
    EXPECT_EQ(upstream.request(0).method, "HEAD");
}

TEST(ResponseBody, NoContentAndNotModifiedHaveNoBody) {
    FakeUpstream upstream([](const Request& request) {
        if (request.target == "/204") return text_reply("", 204);
        if (request.target == "/304") {
            auto reply = text_reply("", 304);
            reply.headers = {{"ETag", "\"a\""}, {"Content-Length", "1234"}};
            return reply;
        }
        return text_reply("end");
    });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto empty = client.get("/204");
    EXPECT_EQ(empty.status, 204);
    EXPECT_FALSE(empty.headers.has("Content-Length"));
    EXPECT_FALSE(empty.headers.has("Transfer-Encoding"));
    const auto same = client.get("/304", "If-None-Match: \"a\"\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.headers.value("ETag"), "\"a\"");
    EXPECT_EQ(client.get("/end").body, "end");
}

TEST(ResponseBody, ConditionalFieldsReachTheUpstream) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    get_once(daemon.http(), "/", "If-None-Match: \"x\"\r\nRange: bytes=0-1\r\nIf-Range: \"x\"\r\n");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("If-None-Match"), "\"x\"");
    EXPECT_EQ(request.headers.value("Range"), "bytes=0-1");
    EXPECT_EQ(request.headers.value("If-Range"), "\"x\"");
}

// With buffering off, and by itself for event streams and X-Accel-Buffering: no, each part
// reaches the client before the next one exists.
struct Unbuffered {
    const char* name;
    const char* config;
    const char* fields;
};

TEST(ResponseStreaming, PartsArriveAsTheyCome) {
    const Unbuffered rows[] = {
        {"buffering off", "{ upstream: @UP1@, buffering: off }", ""},
        {"event stream", "@UP1@", "Content-Type: text/event-stream\r\n"},
        {"asked by the upstream", "@UP1@", "X-Accel-Buffering: no\r\n"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        Gate second;
        const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
            Request request;
            if (!connection.read_request(request)) return;
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" +
                            std::string(row.fields) + "\r\n5\r\nfirst\r\n");
            if (second.wait()) connection.send("6\r\nsecond\r\n0\r\n\r\n");
        });
        Daemon daemon("hosts:\n  \"*\": " + std::string(row.config) + "\n", ups(*upstream));
        RawClient client(daemon.http());
        client.send(get_request("/"));
        auto response = client.read_head();
        EXPECT_EQ(response.status, 200);
        std::string part;
        while (part.find("first") == std::string::npos) {
            const auto more = client.read_some(Duration(5000));
            ASSERT_FALSE(more.empty()) << "got only: " << part;
            part += more;
        }
        second.open();
        while (part.find("0\r\n\r\n") == std::string::npos) {
            const auto more = client.read_some(Duration(5000));
            ASSERT_FALSE(more.empty()) << "got only: " << part;
            part += more;
        }
        EXPECT_NE(part.find("second"), std::string::npos);
    }
}

}  // namespace
}  // namespace proxyd::test
