// $upstream_http_NAME in the access log: the field of the answer that the upstream gave.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
workers: 1
log:
  access: { path: @TMP@/access.log, format: "$status [$upstream_http_x_foo]", buffer: 0 }
hosts: { "*": @UP1@ }
)";

TEST(UpstreamFieldLog, HasTheFieldOfAProxiedAnswer) {
    FakeUpstream upstream([](const Request& request) {
        auto reply = text_reply(request.target == "/empty" ? "" : "body");
        if (request.target != "/none") reply.headers.add("X-Foo", "bar");
        return reply;
    });
    Daemon daemon(kConfig, ups(upstream));
    RawClient client(daemon.http());
    for (const auto* path : {"/body", "/empty", "/none"}) client.get(path);
    EXPECT_EQ(daemon.wait_for_access(3),
              (std::vector<std::string>{"200 [bar]", "200 [bar]", "200 [-]"}));
}

TEST(UpstreamFieldLog, HasTheFieldOfATunnelsAnswer) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "X-Foo: bar\r\n\r\n");
        connection.wait_for_close();
    });
    Daemon daemon(kConfig, ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    ASSERT_EQ(client.read_response().status, 101);
    client.close();
    EXPECT_EQ(daemon.wait_for_access(1), std::vector<std::string>{"101 [bar]"});
}

// The line is written behind an upgrade that failed: what it names must still be there.
TEST(UpstreamFieldLog, Survives101ForAClientThatIsGone) {
    constexpr int kRounds = 20;
    Watched<int> may_answer;
    Watched<int> answered;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        const int number = connection.number();
        if (!may_answer.wait([=](int allowed) { return allowed >= number; })) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "X-Foo: secret-value\r\n\r\n");
        static_cast<void>(delivered(connection.wire()));
        answered.change([](int& count) { ++count; });
        connection.wait_for_close();
    });
    Daemon daemon(kConfig, ups(*upstream));
    for (int round = 1; round <= kRounds; ++round) {
        RawClient client(daemon.http());
        client.send(get_request("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
        ASSERT_TRUE(upstream->wait_for_requests(round, Duration(5000)));
        const Frozen frozen(daemon);
        may_answer.change([=](int& allowed) { allowed = round; });
        ASSERT_TRUE(answered.wait([=](int count) { return count == round; }));
        client.reset();
    }
    EXPECT_TRUE(upstream->wait_for_open(0));
    const std::regex expected(R"((101|499) \[(secret-value|-)\])");
    for (const auto& line : daemon.wait_for_access(kRounds)) {
        EXPECT_TRUE(std::regex_match(line, expected)) << line;
    }
    EXPECT_TRUE(daemon.running());
}

}  // namespace
}  // namespace proxyd::test
