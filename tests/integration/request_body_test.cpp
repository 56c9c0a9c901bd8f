// Request bodies in both framings arrive whole, streamed or buffered.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

// Each way to pass a body on: read first, or streamed.
class RequestBody : public ::testing::TestWithParam<const char*> {
  protected:
    RequestBody()
        : upstream([](const Request& request) { return text_reply(request.body); }),
          daemon(std::string("hosts:\n  \"*\": { upstream: @UP1@, request_buffering: ") +
                     GetParam() + " }\n",
                 ups(upstream)) {}

    FakeUpstream upstream;
    Daemon daemon;
};

TEST_P(RequestBody, ContentLengthBodyArrives) {
    RawClient client(daemon.http());
    for (const std::size_t size : {0U, 1U, 1000U, 65'536U, 300'000U}) {
        SCOPED_TRACE(size);
        const auto body = pattern(size);
        const auto response = client.exchange(body_request("POST", "/p", body), "POST");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body_digest, digest_of(body));
        EXPECT_EQ(upstream.last_request().body_digest, digest_of(body));
    }
}

TEST_P(RequestBody, ChunkedBodyArrives) {
    RawClient client(daemon.http());
    const auto body = pattern(200'000);
    for (const std::size_t size : {1'000U, 16'384U, 200'000U}) {
        SCOPED_TRACE(size);
        client.send("PUT /c HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(chunked(body, size));
        const auto response = client.read_response();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(upstream.last_request().body_digest, digest_of(body));
        EXPECT_EQ(upstream.last_request().end == MessageEnd::LastChunk ||
                      upstream.last_request().end == MessageEnd::Length,
                  true);
    }
}

TEST_P(RequestBody, ChunkExtensionsAreDropped) {
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;name=value\r\nabc\r\n2;q=\"a b\"\r\nde\r\n0;end\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().body, "abcde");
}

TEST_P(RequestBody, BytesOneByOneArriveTheSame) {
    RawClient client(daemon.http());
    const std::string text =
        "POST /slow HTTP/1.1\r\nHost: app.test\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        chunked("hello, world", 5);
    for (const char byte : text) client.send({&byte, 1});
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().body, "hello, world");
}

TEST_P(RequestBody, NoBodyMeansNoFramingFields) {
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    const auto request = upstream.last_request();
    EXPECT_FALSE(request.headers.has("Content-Length"));
    EXPECT_FALSE(request.headers.has("Transfer-Encoding"));
}

TEST_P(RequestBody, BodyThatStopsNeverLooksCompleteToTheUpstream) {
    RawClient client(daemon.http());
    client.send(
        "POST /cut HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nabcde\r\n");
    client.close();
    EXPECT_EQ(daemon.access(0)["status"].text(), "499");
    for (const auto& request : upstream.requests()) EXPECT_NE(request.target, "/cut");
}

INSTANTIATE_TEST_SUITE_P(Buffered, RequestBody, ::testing::Values("on"));
INSTANTIATE_TEST_SUITE_P(Streamed, RequestBody, ::testing::Values("off"));

TEST(RequestTrailers, PassToTheUpstreamWithAChunkedBody) {
    FakeUpstream upstream;
    Daemon daemon(R"(
hosts:
  "*": { upstream: @UP1@, request_buffering: off }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\nTrailer: X-Sum\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        chunked("abc", 3, "X-Sum: 42\r\n"));
    EXPECT_EQ(client.read_response().status, 200);
    const auto request = upstream.last_request();
    EXPECT_EQ(request.end, MessageEnd::LastChunk);
    EXPECT_EQ(request.trailers.value("X-Sum"), "42");
}

TEST(RequestTrailers, ForbiddenNamesDoNotReachTheUpstreamAsFields) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunked("abc", 3,
                        "Content-Length: 9\r\nX-Forwarded-For: 9.9.9.9\r\n"
                        "Host: evil.test\r\n"));
    const auto response = client.read_response();
    if (response.status == 200) {
        const auto request = upstream.last_request();
        EXPECT_FALSE(request.headers.has("Content-Length"));
        EXPECT_FALSE(request.trailers.has("Content-Length"));
        EXPECT_FALSE(request.trailers.has("X-Forwarded-For"));
        EXPECT_FALSE(request.trailers.has("Host"));
        EXPECT_EQ(request.headers.value("Host"), "app.test");
    } else {
        EXPECT_EQ(response.status, 400);
    }
}

TEST(RequestStreaming, BodyPartsReachTheUpstreamBeforeTheBodyEnds) {
    Gate first_part;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        if (connection.wire().wait_for_event(kLimit) == IoStatus::Ok) first_part.open();
        connection.read_body(request);
        connection.reply(text_reply(request.body));
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\nabc");
    EXPECT_TRUE(first_part.wait());
    client.send("def");
    EXPECT_EQ(client.read_response().body, "abcdef");
}

TEST(RequestStreaming, BufferedBodyIsReadBeforeTheUpstreamIsContacted) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\nabc");
    EXPECT_FALSE(upstream.wait_for_heads(1, Duration(150)));
    client.send("def");
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().body, "abcdef");
}

}  // namespace
}  // namespace proxyd::test
