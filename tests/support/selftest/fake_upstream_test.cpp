#include "support/fake_upstream.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(FakeUpstream, KeepsWhatItSaw) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    RawClient client(upstream.port());
    EXPECT_EQ(client.get("/one").body, "/one");
    const auto body = pattern(100'000);
    const auto response = client.exchange(
        "PUT /two HTTP/1.1\r\nHost: a\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        chunked(body, 999, "T: end\r\n"));
    EXPECT_EQ(response.body, "/two");
    ASSERT_TRUE(upstream.wait_for_requests(2));
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.request(0).method, "GET");
    EXPECT_EQ(upstream.request(1).body_digest, digest_of(body));
    EXPECT_EQ(upstream.request(1).trailers.value("t"), "end");
    EXPECT_EQ(upstream.request(1).connection, 1);
    EXPECT_THROW(static_cast<void>(upstream.request(2)), std::runtime_error);
}

TEST(FakeUpstream, CountsAbortedConnections) {
    FakeUpstream upstream;
    RawClient client(upstream.port());
    client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    ASSERT_TRUE(upstream.wait_for_heads(1));
    client.close();
    EXPECT_TRUE(upstream.wait_for_aborted(1));
    EXPECT_EQ(upstream.request_count(), 0);
    EXPECT_TRUE(upstream.wait_for_open(0));
}

TEST(FakeUpstream, ListensOnAUnixSocket) {
    const TempDir temp;
    FakeUpstream::Options options;
    options.socket = temp.path() / "app.sock";
    FakeUpstream upstream([](const Request&) { return text_reply("unix"); }, options);
    EXPECT_EQ(RawClient(options.socket).get("/").body, "unix");
}

TEST(FakeUpstream, RefusesAfterStopAndListensAgainOnTheSamePort) {
    FakeUpstream::Options options;
    {
        FakeUpstream upstream;
        options.port = upstream.port();
        RawClient client(upstream.port());
        EXPECT_EQ(client.get("/").status, 200);
        upstream.stop();
        EXPECT_TRUE(client.closed_by_peer());
        EXPECT_THROW(RawClient{options.port}, std::runtime_error);
    }
    FakeUpstream again([](const Request&) { return text_reply("again"); }, options);
    EXPECT_EQ(RawClient(options.port).get("/").body, "again");
}

TEST(FakeUpstream, RepliesInEveryFraming) {
    FakeUpstream upstream([](const Request& request) {
        auto reply = text_reply("body");
        reply.trailers.add("X", "y");
        reply.framing = request.target == "/chunked" ? Reply::Framing::Chunked
                        : request.target == "/close" ? Reply::Framing::UntilClose
                                                     : Reply::Framing::Length;
        return reply;
    });
    EXPECT_EQ(get_once(upstream.port(), "/length").end, MessageEnd::Length);
    EXPECT_EQ(get_once(upstream.port(), "/chunked").end, MessageEnd::LastChunk);
    EXPECT_EQ(get_once(upstream.port(), "/close").end, MessageEnd::ConnectionClose);
    EXPECT_EQ(RawClient(upstream.port()).exchange("HEAD / HTTP/1.1\r\n\r\n", "HEAD").end,
              MessageEnd::NoBody);
}

TEST(FakeUpstream, DropsConnectionsAndGoesOn) {
    FakeUpstream upstream;
    RawClient client(upstream.port());
    EXPECT_EQ(client.get("/").status, 200);
    upstream.drop_connections();
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_EQ(get_once(upstream.port(), "/").status, 200);
}

}  // namespace
}  // namespace proxyd::test
