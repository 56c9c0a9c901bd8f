// Bytes that an upstream sends and nobody asked for go to nobody.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kOneWorker = "workers: 1\nhosts: { \"*\": @UP1@ }\n";
constexpr std::string_view kStray = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSTRAY!";

// An answer of exactly that many bytes, head and body.
std::string answer_of(std::size_t total, bool in_chunks) {
    std::string head = "HTTP/1.1 200 OK\r\n";
    std::string body;
    if (in_chunks) {
        head += "Transfer-Encoding: chunked\r\nX-Pad: ";
        body = chunked(std::string(total - 400, 'A'), 1U << 20U);
    } else {
        head += "Content-Length: " + std::to_string(total - 300) + "\r\nX-Pad: ";
        body = std::string(total - 300, 'A');
    }
    const auto padding = total - head.size() - 4 - body.size();
    return head + std::string(padding, 'p') + "\r\n\r\n" + body;
}

TEST(StrayBytes, BehindAnAnswerThatFillsTheRead) {
    for (const bool in_chunks : {false, true}) {
        for (const std::size_t total : {16'384U, 32'768U, 65'536U}) {
            SCOPED_TRACE(std::to_string(total) + (in_chunks ? " in chunks" : ""));
            const auto answer = answer_of(total, in_chunks);
            ASSERT_EQ(answer.size(), total);
            const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
                Request request;
                while (connection.read_request(request)) {
                    if (request.target == "/first") {
                        connection.send(answer + std::string(kStray));
                    } else {
                        connection.reply(text_reply("good"));
                    }
                }
            });
            Daemon daemon(kOneWorker, ups(*upstream));
            RawClient first(daemon.http());
            EXPECT_TRUE(first.get("/first").complete());
            EXPECT_EQ(get_once(daemon.http(), "/other").body, "good");
            EXPECT_EQ(first.get("/again").body, "good");
            EXPECT_EQ(get_once(daemon.http(), "/last").body, "good");
        }
    }
}

// The first connection sends stray bytes when the gate opens; all of them answer "good".
class StrayBytesWhileIdle : public ::testing::Test {
  protected:
    void send_stray() {
        now.open();
        EXPECT_TRUE(sent.wait());
    }

    Gate now;
    Gate sent;
    std::unique_ptr<FakeUpstream> upstream =
        FakeUpstream::scripted([this](UpstreamConnection& connection) {
            Request request;
            bool first = connection.number() == 1;
            while (connection.read_request(request)) {
                connection.reply(text_reply("good"));
                if (!std::exchange(first, false) || !now.wait()) continue;
                connection.send(kStray);
                static_cast<void>(delivered(connection.wire()));
                sent.open();
            }
        });
    Daemon daemon{kOneWorker, ups(*upstream)};
};

TEST_F(StrayBytesWhileIdle, JustBeforeTheNextRequest) {
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").body, "good");
    {
        const Frozen frozen(daemon);
        send_stray();
        client.send(get_request("/2"));
        EXPECT_TRUE(delivered(client.wire()));
    }
    EXPECT_EQ(client.read_response().body, "good");
    EXPECT_EQ(client.get("/3").body, "good");
    EXPECT_EQ(get_once(daemon.http(), "/4").body, "good");
}

TEST_F(StrayBytesWhileIdle, LongBeforeTheNextRequest) {
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/1").body, "good");
    send_stray();
    EXPECT_TRUE(upstream->wait_for_open(0, Duration(3000)));
    EXPECT_EQ(client.get("/2").body, "good");
}

}  // namespace
}  // namespace proxyd::test
