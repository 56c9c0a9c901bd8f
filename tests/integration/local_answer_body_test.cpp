// Answers made here to requests with a body: the body is drained or the connection ends, and its
// bytes are never a request.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
hosts:
  app.test:
    upstream: @UP1@
    locations:
      /: {}
      /return: { return: 200 }
      /forbidden: { return: 403 }
      /moved: { redirect: { to: "https://new.test/", status: 307 } }
      /folder/: {}
      /get: { methods: [GET] }
      /small: { max_body_size: 5 }
      /dead: { upstream: @DEAD@ }
)";

struct Row {
    const char* path;
    const char* host;
    int status;
};

const Row kRows[] = {
    {"/return", "app.test", 200}, {"/forbidden", "app.test", 403}, {"/moved", "app.test", 307},
    {"/folder", "app.test", 308}, {"/get", "app.test", 405},       {"/small", "app.test", 413},
    {"/x", "unknown.test", 404},  {"/dead", "app.test", 502},
};

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

// After the answer: either the connection ends without another byte, or it serves the next
// request and nothing else.
void expect_no_second_answer(RawClient& client, const Response& first) {
    if (equal_ignoring_case(first.headers.value("Connection"), "close")) {
        EXPECT_EQ(client.read_until_close().text, "");
        return;
    }
    client.try_send(get_request("/after"));
    const auto next = client.read_response();
    if (next.end == MessageEnd::NoHead) return;
    EXPECT_EQ(next.status, 200);
    EXPECT_EQ(next.body, "/after");
}

class LocalAnswerBody : public ::testing::Test {
  protected:
    FakeUpstream upstream{[](const Request& request) { return text_reply(request.target); }};
    Daemon daemon{kConfig, ups(upstream)};

    void TearDown() override {
        for (const auto& request : upstream.requests()) {
            EXPECT_NE(request.target, "/smuggled") << "a body was read as a request";
        }
    }
};

TEST_F(LocalAnswerBody, ContentLengthBodyIsNeverARequest) {
    for (const auto& row : kRows) {
        SCOPED_TRACE(row.path);
        RawClient client(daemon.http());
        client.send(body_request("POST", row.path, kSmuggled, "", row.host));
        const auto response = client.read_response("POST");
        EXPECT_EQ(response.status, row.status);
        EXPECT_TRUE(response.complete());
        expect_no_second_answer(client, response);
    }
}

TEST_F(LocalAnswerBody, ChunkedBodyIsNeverARequest) {
    for (const auto& row : kRows) {
        SCOPED_TRACE(row.path);
        RawClient client(daemon.http());
        client.send("POST " + std::string(row.path) + " HTTP/1.1\r\nHost: " + row.host +
                    "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(kSmuggled, 10));
        const auto response = client.read_response("POST");
        EXPECT_EQ(response.status, row.status);
        expect_no_second_answer(client, response);
    }
}

TEST_F(LocalAnswerBody, BodyThatComesAfterTheAnswerIsNeverARequest) {
    for (const auto& row : kRows) {
        SCOPED_TRACE(row.path);
        if (std::string_view(row.path) == "/dead") continue;  // reads the body first
        RawClient client(daemon.http());
        client.send("POST " + std::string(row.path) + " HTTP/1.1\r\nHost: " + row.host +
                    "\r\nContent-Length: " + std::to_string(kSmuggled.size()) + "\r\n\r\n");
        // Some wait for the body, some answer at once: both are fine.
        const bool answered = client.wire().wait_for_event(Duration(100)) == IoStatus::Ok;
        client.try_send(kSmuggled);
        const auto response = client.read_response("POST");
        EXPECT_EQ(response.status, row.status) << (answered ? "at once" : "after the body");
        expect_no_second_answer(client, response);
    }
}

TEST_F(LocalAnswerBody, EndlessBodyIsNotDrainedForEver) {
    RawClient client(daemon.http());
    client.send(
        "POST /forbidden HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000000\r\n"
        "\r\n");
    const std::string block(1U << 20U, 'x');
    std::size_t sent = 0;
    while (sent < (256U << 20U) && client.try_send(block, Duration(2000)) == IoStatus::Ok) {
        sent += block.size();
    }
    EXPECT_LT(sent, 256U << 20U) << "the proxy reads on and on";
}

TEST_F(LocalAnswerBody, AnswerReachesAClientThatSendsTheWholeBodyFirst) {
    // The answer must not be destroyed by a reset while the client still sends.
    RawClient client(daemon.http());
    client.send("POST /forbidden HTTP/1.1\r\nHost: app.test\r\nContent-Length: 300000\r\n\r\n");
    client.try_send(std::string(300'000, 'x'));
    EXPECT_EQ(client.read_response("POST").status, 403);
}

}  // namespace
}  // namespace proxyd::test
