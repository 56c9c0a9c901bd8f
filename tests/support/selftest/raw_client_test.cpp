#include "support/raw_client.hpp"
#include "support/digest.hpp"
#include "support/fake_upstream.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct AnswerCase {
    const char* name;
    const char* bytes;
    MessageEnd end;
};

// What a script sends before it closes, and how the client must judge it.
const AnswerCase kAnswers[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", MessageEnd::Length},
    {"short", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", MessageEnd::CutLength},
    {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
     MessageEnd::LastChunk},
    {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
     MessageEnd::CutChunks},
    {"no end of trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n",
     MessageEnd::CutChunks},
    {"bad size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n",
     MessageEnd::BadChunk},
    {"both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
     MessageEnd::BadHead},
    {"close", "HTTP/1.1 200 OK\r\n\r\nok", MessageEnd::ConnectionClose},
    {"204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", MessageEnd::NoBody},
    {"half a head", "HTTP/1.1 200 OK\r\nConten", MessageEnd::CutHead},
    {"nothing", "", MessageEnd::NoHead},
    {"no HTTP", "SSH-2.0-x\r\n\r\n", MessageEnd::BadHead},
};

TEST(RawClient, TellsHowAnAnswerEnded) {
    for (const auto& row : kAnswers) {
        SCOPED_TRACE(row.name);
        const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
            Request request;
            connection.read_request(request);
            connection.send(row.bytes);
        });
        const auto response = RawClient(upstream->port()).get("/");
        EXPECT_EQ(response.end, row.end);
    }
}

TEST(RawClient, ReadsChunksTrailersAndInterimAnswers) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        connection.read_request(request);
        connection.send(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: 1\r\na: 2\r\n\r\n"
            "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 9\r\n\r\n");
    });
    const auto response = RawClient(upstream->port()).get("/");
    ASSERT_EQ(response.interim.size(), 1U);
    EXPECT_EQ(response.interim[0].status, 103);
    EXPECT_EQ(response.interim[0].headers.value("link"), "</a>");
    EXPECT_EQ(response.body, "abcde");
    EXPECT_EQ(response.chunks, (std::vector<std::size_t>{3, 2}));
    EXPECT_EQ(response.headers.all("A"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(response.trailers.value("x-sum"), "9");
}

TEST(RawClient, SeesAResetAsAReset) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        connection.read_request(request);
        connection.reset();
    });
    const auto response = RawClient(upstream->port()).get("/");
    EXPECT_EQ(response.end, MessageEnd::NoHead);
    EXPECT_EQ(response.io, IoStatus::Reset);
}

TEST(RawClient, ConnectsFromAnotherLoopbackAddress) {
    FakeUpstream upstream;
    ClientOptions options;
    options.source = "127.0.0.9";
    EXPECT_EQ(RawClient(upstream.port(), options).get("/").status, 200);
}

TEST(RawClient, TimesOutWithinItsLimit) {
    Gate gate;
    const auto upstream =
        FakeUpstream::scripted([&](UpstreamConnection&) { static_cast<void>(gate.wait()); });
    ClientOptions options;
    options.limit = Duration(50);
    RawClient client(upstream->port(), options);
    EXPECT_EQ(client.get("/").end, MessageEnd::Timeout);
    EXPECT_TRUE(client.silent_for(Duration(10)));
    gate.open();
    EXPECT_TRUE(client.closed_by_peer());
}

TEST(RawClient, MakesChunks) {
    EXPECT_EQ(chunked("abcde", 3, "A: b\r\n"), "3\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n");
    EXPECT_NE(digest_of(pattern(1000, 1)), digest_of(pattern(1000, 2)));
}

}  // namespace
}  // namespace proxyd::test
