// Chunked request bodies: bad framing is refused and never reaches the upstream as a whole body.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* name;
    std::string body;
};

const std::string kHuge(100'000, 'e');

const Row kRows[] = {
    {"LF after the size", "3\nabc\r\n0\r\n\r\n"},
    {"LF after the data", "3\r\nabc\n0\r\n\r\n"},
    {"LF at the end", "3\r\nabc\r\n0\n\n"},
    {"no CRLF after the data", "3\r\nabc0\r\n\r\n"},
    {"data too long", "3\r\nabcd\r\n0\r\n\r\n"},
    {"empty size", "\r\nabc\r\n0\r\n\r\n"},
    {"size with 0x", "0x3\r\nabc\r\n0\r\n\r\n"},
    {"size with +", "+3\r\nabc\r\n0\r\n\r\n"},
    {"size with -", "-3\r\nabc\r\n0\r\n\r\n"},
    {"space before the size", " 3\r\nabc\r\n0\r\n\r\n"},
    {"letters", "xyz\r\nabc\r\n0\r\n\r\n"},
    {"2^64", "10000000000000000\r\nabc\r\n0\r\n\r\n"},
    {"2^64+3", "10000000000000003\r\nabc\r\n0\r\n\r\n"},
    {"long size", std::string(100, 'f') + "\r\nabc\r\n0\r\n\r\n"},
    {"CR in an extension", "3;a\rb\r\nabc\r\n0\r\n\r\n"},
    {"LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"},
    {"endless extension", "3;" + kHuge + "\r\nabc\r\n0\r\n\r\n"},
    {"endless trailers", "0\r\nA: " + kHuge + "\r\n\r\n"},
    {"space before a trailer's colon", "0\r\nA : b\r\n\r\n"},
    {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n"},
};

class ChunkFraming : public ::testing::TestWithParam<const char*> {};

TEST_P(ChunkFraming, BadOnesAre400AndTheConnectionEnds) {
    FakeUpstream upstream;
    Daemon daemon(std::string("hosts: { \"*\": { upstream: @UP1@, request_buffering: ") +
                      GetParam() + " } }\n",
                  ups(upstream));
    for (const auto& row : kRows) {
        SCOPED_TRACE(row.name);
        RawClient client(daemon.http());
        client.try_send(
            "POST /bad HTTP/1.1\r\nHost: app.test\r\n"
            "Transfer-Encoding: chunked\r\n\r\n" +
            row.body + get_request("/smuggled"));
        const auto response = client.read_response();
        // Streamed, an answer of the upstream can be on its way: then the connection is cut.
        EXPECT_TRUE(response.status == 400 || response.status == 413 || response.status == 431 ||
                    response.end == MessageEnd::NoHead)
            << response.status << " " << response.end;
        const auto rest = client.read_until_close();
        EXPECT_TRUE(rest.closed());
        EXPECT_EQ(rest.text, "");
    }
    for (const auto& request : upstream.requests()) {
        ADD_FAILURE() << "the upstream saw a whole request: " << request.raw_head;
    }
    EXPECT_EQ(upstream.garbage(), "");
}

INSTANTIATE_TEST_SUITE_P(Buffered, ChunkFraming, ::testing::Values("on"));
INSTANTIATE_TEST_SUITE_P(Streamed, ChunkFraming, ::testing::Values("off"));

TEST(ChunkFramingGood, OddButLegalFormsAreTaken) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.body); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    for (const std::string body :
         {"3\r\nabc\r\n0\r\n\r\n", "0003\r\nabc\r\n000\r\n\r\n", "3;x\r\nabc\r\n0\r\n\r\n",
          "2\r\nab\r\n1;y=z\r\nc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"}) {
        SCOPED_TRACE(body);
        client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    body);
        const auto response = client.read_response();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "abc");
    }
}

TEST(ChunkFramingGood, CodingNameIsCaseless) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.body); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: app.test\r\nTRANSFER-ENCODING: Chunked\r\n\r\n"
        "A\r\n0123456789\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_response().body, "0123456789");
}

}  // namespace
}  // namespace proxyd::test
