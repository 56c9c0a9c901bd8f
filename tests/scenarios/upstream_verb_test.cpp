// `proxyd upstream list|drain|down|up`: servers out of service and back while the traffic runs.
#include "support/daemon.hpp"
#include "support/peers.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
workers: 4
upstreams:
  app: { servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@"] }
  other: { servers: ["127.0.0.1:@DEAD@"] }
hosts:
  "*": app
  other.test: other
)";

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

std::string sequence(Daemon& daemon, int count) {
    std::string text;
    for (int number = 0; number < count; ++number) text += get_once(daemon.http(), "/").body;
    return text;
}

CliResult order(const Daemon& daemon, std::vector<std::string> words) {
    words.insert(words.begin(), "upstream");
    return daemon.cli(std::move(words));
}

TEST(UpstreamVerb, TakesAServerOutAndBack) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    const std::string address = "127.0.0.1:" + std::to_string(one.port());
    for (const std::string what : {"drain", "down"}) {
        SCOPED_TRACE(what);
        // By its address, and as a port of this machine.
        const auto name = what == "drain" ? address : std::to_string(one.port());
        const auto result = order(daemon, {what, "app", name});
        EXPECT_EQ(result.exit_code, 0) << result.both();
        EXPECT_NE(
            result.out.find("127.0.0.1:" + std::to_string(one.port()) + " is ordered " + what),
            std::string::npos)
            << result.out;
        EXPECT_EQ(sequence(daemon, 6), "222222");
        EXPECT_EQ(peer_of(daemon, 0)["state"].text(), what);
        EXPECT_EQ(peer_of(daemon, 0)["cause"].text(), "ordered");
        EXPECT_EQ(peer_of(daemon, 1)["state"].text(), "up");
        EXPECT_NE(order(daemon, {"list"}).out.find(what + " (ordered)"), std::string::npos);
        EXPECT_EQ(order(daemon, {"up", "app", name}).exit_code, 0);
        EXPECT_NE(sequence(daemon, 4).find('1'), std::string::npos);
    }
    EXPECT_TRUE(daemon.wait_for_log("upstream 'app': " + address + " drains by order"));
}

TEST(UpstreamVerb, WhatRunsGoesOn) {
    Gate gate;
    FakeUpstream one([&](const Request&) {
        (void)gate.wait();
        return text_reply("1");
    });
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(one.wait_for_requests(1));
    const auto result = order(daemon, {"down", "app", std::to_string(one.port())});
    EXPECT_NE(result.out.find("1 in flight"), std::string::npos) << result.out;
    EXPECT_EQ(sequence(daemon, 3), "222");
    gate.open();
    EXPECT_EQ(client.read_response().body, "1");
}

TEST(UpstreamVerb, AnOrderSurvivesAReload) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    ASSERT_EQ(order(daemon, {"drain", "app", std::to_string(one.port())}).exit_code, 0);
    daemon.reload(std::string(kConfig) + "via: off\n");
    EXPECT_EQ(peer_state(daemon, 0), "drain");
    EXPECT_EQ(sequence(daemon, 4), "2222");
}

TEST(UpstreamVerb, AWholeUpstreamOutOfServiceIs503) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    const auto result = order(daemon, {"down", "app"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out.find("upstream 'app' has no server in service now"), std::string::npos);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 503);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "no_live_upstream");
    EXPECT_EQ(order(daemon, {"up", "app"}).exit_code, 0);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(UpstreamVerb, ListShowsOneOrAllAsTextAndAsJson) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    EXPECT_EQ(sequence(daemon, 2), "12");
    const auto all = order(daemon, {"list"});
    EXPECT_EQ(all.exit_code, 0);
    EXPECT_NE(all.out.find("upstream app\n"), std::string::npos) << all.out;
    EXPECT_NE(all.out.find("upstream other\n"), std::string::npos);
    EXPECT_NE(all.out.find("up: weight 1, in flight 0, requests 1, failures 0"), std::string::npos);
    EXPECT_EQ(order(daemon, {"list", "other"}).out.find("upstream app"), std::string::npos);
    const Json peer = peer_of(daemon, 0);
    for (const auto* key : {"address", "server", "state", "cause", "since", "ordered", "weight",
                            "in_flight", "requests", "failures", "idle_connections", "checked",
                            "checks_passed", "checks_failed", "last_check"}) {
        EXPECT_TRUE(peer.has(key)) << key;
    }
    EXPECT_EQ(peer["since"].text().size(), std::string("2026-01-31T12:00:00Z").size());
    const auto json = Json::parse(order(daemon, {"list", "--json"}).out);
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["upstreams"].array().size(), 2U);
}

TEST(UpstreamVerb, WhatIsNotThereIsSaidWithTheNearestName) {
    FakeUpstream one(named("1"));
    FakeUpstream two(named("2"));
    Daemon daemon(kConfig, ups(one, two));
    const auto upstream = order(daemon, {"drain", "othr"});
    EXPECT_EQ(upstream.exit_code, 1);
    EXPECT_EQ(upstream.err, "proxyd: unknown upstream 'othr': did you mean 'other'?\n");
    const auto server = order(daemon, {"drain", "app", "127.0.0.2:" + std::to_string(one.port())});
    EXPECT_EQ(server.exit_code, 1);
    EXPECT_NE(server.err.find("upstream 'app' has no server '127.0.0.2:"), std::string::npos);
    EXPECT_NE(server.err.find("did you mean '127.0.0.1:" + std::to_string(one.port()) + "'?"),
              std::string::npos)
        << server.err;
    EXPECT_EQ(order(daemon, {"list", "ap"}).exit_code, 1);
    EXPECT_EQ(sequence(daemon, 2), "12") << "nothing was changed";
}

TEST(UpstreamVerb, TheCommandLineIsChecked) {
    const auto err = [](std::vector<std::string> words) {
        words.insert(words.begin(), "upstream");
        const auto result = run_proxyd(words);
        EXPECT_EQ(result.exit_code, 2) << result.both();
        return result.err;
    };
    EXPECT_NE(err({}).find("'upstream' wants list, drain, down or up"), std::string::npos);
    EXPECT_NE(err({"drian", "app"}).find("did you mean 'drain'?"), std::string::npos);
    EXPECT_NE(err({"down"}).find("'upstream down' wants the name of an upstream"),
              std::string::npos);
    // What a script makes of a variable that is not set must not take everything down.
    EXPECT_NE(err({"down", "app", ""}).find("an empty SERVER"), std::string::npos);
    EXPECT_NE(err({"list", "app", "3000"}).find("'upstream list' takes no SERVER"),
              std::string::npos);
    const auto help = run_proxyd({"upstream", "-h"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.out.find("drain: only clients that stick to it"), std::string::npos) << help.out;
}

}  // namespace
}  // namespace proxyd::test
