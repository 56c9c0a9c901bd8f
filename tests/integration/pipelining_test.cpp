// Requests sent behind one another are answered in order.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(Pipelining, AnswersComeInOrder) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    std::string all;
    for (int number = 0; number < 100; ++number) all += get_request("/" + std::to_string(number));
    client.send(all);
    for (int number = 0; number < 100; ++number) {
        const auto response = client.read_response();
        ASSERT_EQ(response.status, 200);
        ASSERT_EQ(response.body, "/" + std::to_string(number));
    }
}

TEST(Pipelining, BodiesEndWhereTheirFramingSays) {
    FakeUpstream upstream([](const Request& request) {
        return text_reply(request.method + " " + request.target + " " + request.body);
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(body_request("POST", "/1", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n") +
                "PUT /2 HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunked("two", 2) + get_request("/3"));
    EXPECT_EQ(client.read_response().body, "POST /1 GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.read_response().body, "PUT /2 two");
    EXPECT_EQ(client.read_response().body, "GET /3 ");
    EXPECT_EQ(upstream.request_count(), 3);
}

TEST(Pipelining, LocalAnswersKeepTheirPlace) {
    FakeUpstream upstream;
    Daemon daemon(R"(
hosts:
  "*":
    upstream: @UP1@
    locations:
      /: {}
      = /gone: { return: 410 }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    client.send(get_request("/a") + get_request("/gone") + get_request("/b"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(client.read_response().status, 410);
    EXPECT_EQ(client.read_response().status, 200);
}

TEST(Pipelining, ABadRequestBehindAGoodOneLosesNothingBeforeIt) {
    FakeUpstream upstream([](const Request&) { return text_reply(pattern(100'000)); });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(get_request("/good") + "BROKEN\r\n\r\n" + get_request("/never"));
    const auto good = client.read_response();
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.body_digest, digest_of(pattern(100'000)));
    EXPECT_EQ(client.read_response().status, 400);
    EXPECT_TRUE(client.read_until_close().text.empty());
    EXPECT_EQ(upstream.request_count(), 1);
}

TEST(Pipelining, OneEmptyLineBeforeARequestIsIgnored) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(body_request("POST", "/1", "abc") + "\r\n" + get_request("/2"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(client.read_response().status, 200);
}

}  // namespace
}  // namespace proxyd::test
