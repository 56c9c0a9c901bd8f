// A tunnel whose ends are both done, with a rest for a client that does not read: send_timeout
// ends it.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace proxyd::test {
namespace {

TEST(TunnelEnd, ClientThatDoesNotReadTheRestIsCutOff) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "\r\n" +
            std::string(std::stoul(request.target.substr(1)), 'x'));
        connection.half_close();
        connection.wait_for_close();
    });
    Daemon daemon(R"(
workers: 1
client: { send_timeout: 300ms }
listeners: { http: "unix:@TMP@/listen.sock" }
hosts: { "*": { upstream: @UP1@, timeouts: { upgraded: 300ms } } }
)",
                  ups(*upstream));
    const auto files = daemon.open_files();
    std::deque<RawClient> clients;
    // Around what a unix socket holds, so that a rest of some size stays behind.
    for (const auto* size : {"/150000", "/190000", "/230000", "/260000", "/400000"}) {
        auto& client = clients.emplace_back(daemon.directory() / "listen.sock");
        client.send(get_request(size, "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
        EXPECT_EQ(client.read_some(kLimit, 12), "HTTP/1.1 101");
    }
    EXPECT_TRUE(wait_until_idle(daemon));
    for (auto& client : clients) client.half_close();
    EXPECT_TRUE(eventually([&] { return daemon.open_files() <= files; }, Duration(3000)))
        << daemon.open_files() - files << " descriptors are left";
    EXPECT_TRUE(upstream->wait_for_open(0, Duration(1000)));
    EXPECT_EQ(daemon.access_lines().size(), clients.size());
}

}  // namespace
}  // namespace proxyd::test
