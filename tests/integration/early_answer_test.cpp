// The upstream answers while the upload still runs.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kStreamed = "hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n";

// Answers 413 as soon as the head is there and goes on to read as told.
std::unique_ptr<FakeUpstream> hasty(bool close_at_once) {
    return FakeUpstream::scripted([=](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.reply(text_reply("too early", 413));
        if (!close_at_once) connection.wait_for_close();
    });
}

TEST(EarlyAnswer, IsPassedAndTheConnectionClosesCleanly) {
    for (const bool close_at_once : {false, true}) {
        SCOPED_TRACE(close_at_once);
        const auto upstream = hasty(close_at_once);
        Daemon daemon(kStreamed, ups(*upstream));
        RawClient client(daemon.http());
        client.send("POST /big HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n" +
                    std::string(10'000, 'x'));
        const auto response = client.read_response();
        EXPECT_EQ(response.status, 413);
        EXPECT_TRUE(response.complete()) << response.end;
        EXPECT_EQ(response.body, "too early");
        EXPECT_EQ(to_lower(response.headers.value("Connection")), "close");
        const auto rest = client.read_until_close();
        EXPECT_EQ(rest.end, IoStatus::Eof) << to_text(rest.end);
        EXPECT_TRUE(rest.text.empty());
    }
}

TEST(EarlyAnswer, ReachesAClientThatKeepsSending) {
    const auto upstream = hasty(true);
    Daemon daemon(kStreamed, ups(*upstream));
    RawClient client(daemon.http());
    client.send("POST /big HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n");
    client.try_send(std::string(1U << 20U, 'x'), Duration(2000));
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.body, "too early");
}

TEST(EarlyAnswer, StopsTheUpload) {
    const auto upstream = hasty(false);
    Daemon daemon(kStreamed, ups(*upstream));
    RawClient client(daemon.http());
    client.send(
        "POST /big HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n");
    EXPECT_EQ(client.read_response().status, 413);
    EXPECT_TRUE(upstream->wait_for_open(0)) << "the upstream's connection was kept";
}

TEST(EarlyAnswer, BytesOfTheUploadAreNeverARequest) {
    const auto upstream = hasty(false);
    Daemon daemon(kStreamed, ups(*upstream));
    RawClient client(daemon.http());
    const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 413);
    client.try_send(smuggled + smuggled);
    client.read_until_close();
    for (const auto& line : daemon.wait_for_access(1)) {
        EXPECT_EQ(line.find("smuggled"), std::string::npos) << line;
    }
    EXPECT_EQ(upstream->heads(), 1);
}

TEST(EarlyAnswer, LongAnswerDuringAnUploadArrivesWhole) {
    const auto body = pattern(500'000);
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.reply(text_reply(body));
        connection.wait_for_close();
    });
    Daemon daemon(kStreamed, ups(*upstream));
    RawClient client(daemon.http());
    client.send("PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nxyz");
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body_digest, digest_of(body));
}

TEST(EarlyAnswer, AnAnswerThatEndsAfterTheUploadKeepsTheConnection) {
    // The head comes early, the end comes when the whole body is there: a plain duplex exchange.
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        while (connection.read_head(request)) {
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
            connection.read_body(request);
            connection.send(chunked(request.body, 4096));
        }
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off, buffering: off } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\nabc");
    auto response = client.read_head();
    EXPECT_EQ(response.status, 200);
    client.send("def");
    client.read_body(response);
    EXPECT_EQ(response.body, "oneabcdef");
}

}  // namespace
}  // namespace proxyd::test
