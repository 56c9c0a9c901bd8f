// What is refused: with an answer where HTTP/1 would answer too, by RST_STREAM or GOAWAY where RFC
// 9113 says so. Nothing of it reaches the backend.
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

using namespace h2;

struct Refusal {
    const char* name;
    Headers fields;
    int status = 0;                       // an answer, or
    std::uint32_t code = kProtocolError;  // a reset
};

Headers plain(const Headers& more) {
    return request_fields("GET", "/", more);
}

std::vector<Refusal> refusals() {
    return {
        {"fragment", request_fields("GET", "/a#b"), 400},
        {"connect", {{":method", "CONNECT"}, {":authority", "app.test:80"}}, 405},
        {"trace", request_fields("TRACE", "/"), 405},
        {"unknown method", request_fields("BREW", "/"), 501},
        {"bad method", request_fields("G@T", "/")},
        {"hosts disagree", plain({{"host", "other.test"}}), 400},
        {"userinfo", request_fields("GET", "/", {}, "me@app.test"), 400},
        {"other scheme",
         {{":method", "GET"}, {":scheme", "ftp"}, {":authority", "app.test"}, {":path", "/"}},
         400},
        {"other protocol",
         {{":method", "CONNECT"},
          {":protocol", "chat"},
          {":scheme", "http"},
          {":authority", "app.test"},
          {":path", "/"}},
         501},
        {"no host", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}},
        {"upper case", plain({{"X-Upper", "1"}})},
        {"connection", plain({{"connection", "close"}})},
        {"keep-alive", plain({{"keep-alive", "1"}})},
        {"proxy-connection", plain({{"proxy-connection", "close"}})},
        {"transfer-encoding", plain({{"transfer-encoding", "chunked"}})},
        {"upgrade", plain({{"upgrade", "websocket"}})},
        {"te", plain({{"te", "gzip"}})},
        {"newline in a value", plain({{"x-a", "b\r\nevil: 1"}})},
        {"NUL in a value", plain({{"x-a", std::string("b\0c", 3)}})},
        {"space before a value", plain({{"x-a", " b"}})},
        {"space behind a value", plain({{"x-a", "b "}})},
        {"colon in a name", plain({{"x:a", "b"}})},
        {"newline in a name", plain({{"x\na", "b"}})},
        {"empty name", plain({{"", "b"}})},
        {"newline in :path", request_fields("GET", "/ HTTP/1.1\r\nevil: 1")},
        {"relative :path", request_fields("GET", "a")},
        {"empty :path", request_fields("GET", "")},
        {"two :path", request_fields("GET", "/", {{":path", "/b"}})},
        {"pseudo-field behind others",
         {{":method", "GET"}, {":scheme", "http"}, {"x-a", "b"}, {":path", "/"}}},
        {"unknown pseudo-field", request_fields("GET", "/", {{":evil", "1"}})},
        {":status in a request", request_fields("GET", "/", {{":status", "200"}})},
        {"no :method", {{":scheme", "http"}, {":path", "/"}, {":authority", "app.test"}}},
        {"two lengths", plain({{"content-length", "0"}, {"content-length", "0"}})},
        {"no number", plain({{"content-length", "+5"}})},
        {"length beyond 64 bits", plain({{"content-length", "18446744073709551617"}})},
        {"length without a body", plain({{"content-length", "5"}})},
        {":protocol of another method",
         {{":method", "GET"},
          {":protocol", "websocket"},
          {":scheme", "http"},
          {":authority", "app.test"},
          {":path", "/"}}},
    };
}

TEST(H2Rules, BadHeadsAreRefusedAndTheConnectionGoesOn) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    for (const auto& refusal : refusals()) {
        SCOPED_TRACE(refusal.name);
        H2Client client(daemon.http());
        const auto response = client.response(client.request(refusal.fields));
        if (refusal.status != 0) {
            EXPECT_EQ(response.status, refusal.status);
            EXPECT_TRUE(response.ended);
        } else {
            EXPECT_EQ(response.reset, refusal.code);
        }
        EXPECT_EQ(client.response(client.get("/after")).status, 200);
    }
    for (const auto& request : upstream.requests()) {
        EXPECT_EQ(request.target, "/after");
    }
}

TEST(H2Rules, BodiesMustHaveTheirLength) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    for (const std::string body : {"four", "sixsix"}) {
        const auto stream =
            client.request(request_fields("POST", "/", {{"content-length", "5"}}), false);
        client.data(stream, body, true);
        const auto response = client.response(stream);
        EXPECT_EQ(response.reset, kProtocolError) << body;
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(H2Rules, LargeHeadsAre431) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("client: { max_header_size: 8k, max_headers: 20 }\n"
                             "hosts: { \"*\": @UP1@ }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    EXPECT_EQ(client.response(client.get("/", {{"x-large", std::string(7000, 'a')}})).status, 200);
    EXPECT_EQ(client.response(client.get("/", {{"x-large", std::string(9000, 'a')}})).status, 431);
    EXPECT_EQ(client.response(client.get("/" + std::string(9000, 'a'))).status, 431);
    Headers many;
    for (int i = 0; i < 30; ++i) many.add("x-" + std::to_string(i), "1");
    EXPECT_EQ(client.response(client.get("/", many)).status, 431);
    const auto huge = client.get(
        "/", {{"x-a", std::string(15'000, 'a')}, {"x-b", "1"}, {"x-c", std::string(2000, 'a')}});
    EXPECT_EQ(client.response(huge).reset, kEnhanceYourCalm);
    EXPECT_EQ(client.response(client.get("/")).status, 200);
    EXPECT_EQ(upstream.request_count(), 2);
}

struct Violation {
    const char* name;
    std::string bytes;
    std::uint32_t code = kProtocolError;
};

std::vector<Violation> violations() {
    const auto head = literals(request_fields("GET", "/"));
    const auto open = frame(kHeaders, kEndHeaders, 1, literals(request_fields("POST", "/")));
    return {
        {"even stream", frame(kHeaders, kEndHeaders | kEndStream, 2, head)},
        {"DATA on stream 0", frame(kData, 0, 0, "x")},
        {"HEADERS on stream 0", frame(kHeaders, kEndHeaders, 0, head)},
        {"DATA on an idle stream", frame(kData, 0, 1, "x")},
        {"RST_STREAM on an idle stream", frame(kRstStream, 0, 1, number(8, 4))},
        {"WINDOW_UPDATE on an idle stream", frame(kWindowUpdate, 0, 1, number(8, 4))},
        {"frame beyond the size", frame(kData, 0, 1, std::string(16'385, 'x')), kFrameSizeError},
        {"PING of 7 bytes", frame(kPing, 0, 0, "1234567"), kFrameSizeError},
        {"PING on a stream", frame(kPing, 0, 1, "12345678")},
        {"SETTINGS of 5 bytes", frame(kSettings, 0, 0, "12345"), kFrameSizeError},
        {"SETTINGS on a stream", frame(kSettings, 0, 1, "")},
        {"SETTINGS acknowledgement with a payload", frame(kSettings, 1, 0, setting(4, 1)),
         kFrameSizeError},
        {"window of 2^31", frame(kSettings, 0, 0, setting(4, 1U << 31U)), kFlowControlError},
        {"frame size below the least", frame(kSettings, 0, 0, setting(5, 16'383))},
        {"connection window beyond 2^31-1", frame(kWindowUpdate, 0, 0, number(0x7fffffff, 4)),
         kFlowControlError},
        {"connection window by nothing", frame(kWindowUpdate, 0, 0, number(0, 4))},
        {"padding beyond the payload", open + frame(kData, kPadded, 1, "\x09xx")},
        {"other frame inside a header block",
         frame(kHeaders, 0, 1, head) + frame(kPing, 0, 0, "12345678")},
        {"CONTINUATION of nothing", frame(kContinuation, kEndHeaders, 1, head)},
        {"PUSH_PROMISE", open + frame(kPushPromise, kEndHeaders, 1, number(2, 4) + head)},
        {"block that cannot be decoded",
         frame(kHeaders, kEndHeaders | kEndStream, 1, "\xff\xff\xff\xff\xff\xff"),
         kCompressionError},
        {"HTTP/1 behind the preface", "GET / HTTP/1.1\r\n", kFrameSizeError},
    };
}

TEST(H2Rules, ViolationsEndTheConnectionWithTheirCode) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    for (const auto& violation : violations()) {
        SCOPED_TRACE(violation.name);
        H2Client client(daemon.http());
        client.send(violation.bytes);
        const auto code = client.goaway();
        ASSERT_TRUE(code);
        EXPECT_EQ(*code, violation.code);
        EXPECT_TRUE(client.closed());
        EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    }
    EXPECT_TRUE(daemon.wait_for_log("http2_protocol_error"));
}

TEST(H2Rules, UnknownFramesAndPrioritiesAreIgnored) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    client.send(frame(0xbb, 0xff, 0, "whatever") + frame(0xbb, 0, 77, ""));
    client.send(frame(kPriority, 0, 3, number(3 + 2, 4) + "\x10"));
    client.send(frame(kPriority, 0, 9, number(7, 4) + "\xff"));
    client.send(frame(kSettings, 0, 0, setting(0xabcd, 77)));
    client.send(frame(0x10, 0, 0, number(1, 4) + "u=0"));
    EXPECT_EQ(client.response(client.get("/", {{"priority", "u=9,i=?x"}})).status, 200);
}

TEST(H2Rules, StreamWindowBeyondTheLimitResetsTheStream) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(request_fields("POST", "/"), false);
    client.window(stream, 0x7fffffff);
    EXPECT_EQ(client.response(stream).reset, kFlowControlError);
    EXPECT_EQ(client.response(client.get("/")).status, 200);
}

}  // namespace
}  // namespace proxyd::test
