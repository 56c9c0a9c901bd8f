// An answer that the upstream cut never looks complete to the client.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* name;
    const char* bytes;  // what the upstream sends before it goes away
};

const Row kRows[] = {
    {"inside a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"},
    {"length without a byte", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"},
    {"inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort"},
    {"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n"},
    {"after the last size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"},
    {"inside trailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n"},
};

// True for anything a client must not take as the whole answer.
bool looks_broken(const Response& response) {
    return !response.complete() || response.status == 502;
}

class CutAnswer : public ::testing::TestWithParam<const char*> {};

TEST_P(CutAnswer, NeverLooksComplete) {
    for (const auto& row : kRows) {
        for (const bool with_reset : {false, true}) {
            SCOPED_TRACE(std::string(row.name) + (with_reset ? ", reset" : ", closed"));
            Gate read;
            const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
                Request request;
                if (!connection.read_request(request)) return;
                connection.send(row.bytes);
                if (with_reset) {
                    // Let the bytes through first: a reset may overtake them.
                    connection.pause(Duration(20));
                    connection.reset();
                }
            });
            Daemon daemon(std::string("hosts: { \"*\": { upstream: @UP1@, buffering: ") +
                              GetParam() + " } }\n",
                          ups(*upstream));
            RawClient client(daemon.http());
            const auto response = client.get("/");
            EXPECT_TRUE(looks_broken(response)) << response.status << " " << response.end;
            if (response.status == 200) {
                EXPECT_TRUE(client.read_until_close().closed());
            }
            const auto line = daemon.access(0);
            EXPECT_NE(line["reason"].text(), "") << "the log does not tell";
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Buffered, CutAnswer, ::testing::Values("on"));
INSTANTIATE_TEST_SUITE_P(Streamed, CutAnswer, ::testing::Values("off"));

TEST(CutAnswerTo, Http10ClientsIsSeenAsAReset) {
    // Without chunks only a reset tells a client of HTTP/1.0 that the body is not whole.
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n");
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, buffering: off } }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    const auto response = client.read_response();
    EXPECT_TRUE(response.status == 502 || response.io == IoStatus::Reset)
        << response.status << " " << response.end;
}

TEST(CutAnswerTo, AnswerUntilCloseIsWholeAtACleanEnd) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.complete());
    EXPECT_EQ(response.body, "all of it");
}

TEST(CutAnswerTo, AnswerUntilCloseIsBrokenAtAReset) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\n\r\nnot all");
        connection.pause(Duration(20));
        connection.reset();
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    EXPECT_TRUE(looks_broken(get_once(daemon.http(), "/")));
}

}  // namespace
}  // namespace proxyd::test
