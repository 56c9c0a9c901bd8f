// unix: on both sides.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace proxyd::test {
namespace {

TEST(UnixSockets, ListenerServesClients) {
    FakeUpstream upstream;
    Daemon daemon(R"(
listeners: { http: "unix:@TMP@/listen.sock" }
hosts: { "*": @UP1@ }
)",
                  ups(upstream));
    RawClient client(daemon.directory() / "listen.sock");
    EXPECT_EQ(client.get("/a").status, 200);
    EXPECT_EQ(client.get("/b").status, 200);
    EXPECT_EQ(upstream.request_count(), 2);
    EXPECT_EQ(upstream.last_request().headers.count("X-Forwarded-For"), 1U);
}

TEST(UnixSockets, ListenerReplacesADeadSocketAndLeavesNoneBehind) {
    const TempDir temp;
    FakeUpstream upstream;
    auto marks = ups(upstream);
    marks.set("SOCK", (temp.path() / "s.sock").string());
    const auto* config = "listeners: { http: \"unix:@SOCK@\" }\nhosts: { \"*\": @UP1@ }\n";
    {
        Daemon daemon(config, marks);
        daemon.signal(SIGKILL);
        EXPECT_EQ(daemon.wait_exit().signal, SIGKILL);
    }
    Daemon daemon(config, marks);
    EXPECT_EQ(RawClient(temp.path() / "s.sock").get("/").status, 200);
}

TEST(UnixSockets, ServerOfAnUpstream) {
    const TempDir temp;
    FakeUpstream::Options options;
    options.socket = temp.path() / "app.sock";
    FakeUpstream upstream([](const Request&) { return text_reply("unix"); }, options);
    Marks marks{{"SOCK", options.socket.string()}};
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { servers: [{ address: "unix:@SOCK@" }] }
hosts:
  app.test: app
  short.test: "unix:@SOCK@"
)",
                  marks);
    RawClient client(daemon.http());
    for (int count = 0; count < 3; ++count) EXPECT_EQ(client.get("/").body, "unix");
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.last_request().headers.value("Host"), "app.test");
    EXPECT_EQ(client.get("/", "", "short.test").body, "unix");
}

TEST(UnixSockets, MissingServerSocketIs502) {
    Daemon daemon("hosts: { app.test: \"unix:@TMP@/nothing.sock\" }\n");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_NE(daemon.access(0)["reason"].text(), "");
}

}  // namespace
}  // namespace proxyd::test
