// The table of defaults under which the classic mistakes cannot happen, as an operator meets it
// with the smallest configuration. Rows that have a file of their own stand there.
#include "support/config_check.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kSmallest = "hosts: { app.test: @UP1@ }\n";

TEST(ClassicMistakes, HostAndForwardingFieldsNeedNoConfiguration) {
    FakeUpstream upstream;
    Daemon daemon(kSmallest, ups(upstream));
    get_once(daemon.http(), "/", "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("Host"), "app.test");
    EXPECT_EQ(request.headers.value("X-Forwarded-For"), "127.0.0.1");
    EXPECT_FALSE(request.headers.has("Forwarded"));
}

TEST(ClassicMistakes, UpstreamConnectionsAreKeptWithoutAnyKey) {
    FakeUpstream upstream;
    Daemon daemon(std::string("workers: 1\n") + kSmallest, ups(upstream));
    for (int count = 0; count < 5; ++count) get_once(daemon.http(), "/");
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.last_request().version, "HTTP/1.1");
    EXPECT_NE(to_lower(upstream.last_request().headers.value("Connection")), "close");
}

TEST(ClassicMistakes, BodiesOverOneMegabyteAreTaken) {
    FakeUpstream upstream;
    Daemon daemon(kSmallest, ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/", std::string(3U << 20U, 'x'))).status, 200);
}

TEST(ClassicMistakes, UnknownHostsReachNoApplication) {
    FakeUpstream upstream;
    Daemon daemon(kSmallest, ups(upstream));
    const auto response = get_once(daemon.http(), "/", "", "attacker.test");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(upstream.connections(), 0);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "no_host");
}

TEST(ClassicMistakes, ADeadNameDoesNotStopTheStart) {
    FakeUpstream upstream;
    Daemon daemon(R"(
upstreams:
  app: { servers: ["127.0.0.1:@UP1@", "no-such-name.invalid:3000"] }
  dead: { servers: ["no-such-name.invalid:3000"] }
hosts:
  app.test: app
  dead.test: dead
)",
                  ups(upstream));
    for (int count = 0; count < 4; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    const auto response = get_once(daemon.http(), "/", "", "dead.test");
    EXPECT_TRUE(response.status == 502 || response.status == 503) << response.status;
    EXPECT_TRUE(daemon.wait_for_log("no-such-name.invalid"));
}

TEST(ClassicMistakes, UpstreamWithAPathNamesTheRightKey) {
    const auto verdict = check_config("hosts: { app.test: \"http://127.0.0.1:3000/api/\" }\n");
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("strip_prefix"), std::string::npos) << verdict.text;
}

}  // namespace
}  // namespace proxyd::test
