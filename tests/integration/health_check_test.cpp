// Active checks: what passes, what fails and why, and that every worker keeps to the verdict.
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/peers.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace proxyd::test {
namespace {

// An application that says its name, and at /healthz what it is told to say.
struct App {
    explicit App(std::string name)
        : upstream([this, name](const Request& request) {
              if (request.target != "/healthz") return text_reply(name);
              return text_reply(health.get(), status);
          }) {
        say("ok");
    }
    void say(std::string text) {
        health.change([&](std::string& now) { now = std::move(text); });
    }
    std::atomic<int> status = 200;
    Watched<std::string> health;
    FakeUpstream upstream;
};

std::string config(const std::string& check, const std::string& servers = "UP1 UP2") {
    std::string list;
    for (std::size_t start = 0; start < servers.size(); start += 4) {
        list += (list.empty() ? "" : ", ") + ("\"127.0.0.1:@" + servers.substr(start, 3)) + "@\"";
    }
    return "workers: 4\nupstreams:\n  app:\n    servers: [" + list +
           "]\n    health_check: " + check + "\nhosts: { \"*\": app }\n";
}

std::string with(const std::string& keys) {
    return "{ path: /healthz, interval: 100ms, timeout: 300ms, fall: 2, rise: 2" +
           (keys.empty() ? "" : ", " + keys) + " }";
}

// Bodies of `count` answers, each from a connection of its own and so from any worker.
std::string sequence(Daemon& daemon, int count) {
    std::string text;
    for (int number = 0; number < count; ++number) text += get_once(daemon.http(), "/").body;
    return text;
}

std::string cause_of(const Daemon& daemon, std::size_t index) {
    return peer_of(daemon, index)["cause"].text();
}

bool wait_for_checks(const Daemon& daemon, std::size_t index, double count) {
    return eventually([&] {
        const Json peer = peer_of(daemon, index);
        return peer["checks_passed"].number() + peer["checks_failed"].number() >= count;
    });
}

TEST(HealthCheck, AnUnhealthyServerIsOutForEveryWorkerAndComesBack) {
    App one("1");
    App two("2");
    Daemon daemon(config(with("")), ups(one.upstream, two.upstream));
    EXPECT_EQ(sequence(daemon, 4), "1212") << "servers start healthy";
    one.status = 503;
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    EXPECT_EQ(cause_of(daemon, 0), "status 503");
    EXPECT_EQ(sequence(daemon, 12), "222222222222");
    EXPECT_TRUE(daemon.wait_for_log("is unhealthy after 2 failed checks (status 503)"));
    EXPECT_NE(daemon.cli({"status"}).out.find("unhealthy (status 503)"), std::string::npos);
    one.status = 204;
    ASSERT_TRUE(wait_for_state(daemon, 0, "up"));
    EXPECT_TRUE(daemon.wait_for_log("is healthy again after 2 passed checks"));
    EXPECT_NE(sequence(daemon, 4).find('1'), std::string::npos);
    const Json peer = peer_of(daemon, 0);
    EXPECT_GE(peer["checks_passed"].number(), 2);
    EXPECT_GE(peer["checks_failed"].number(), 2);
    EXPECT_EQ(peer["last_check"].text(), "passed");
}

TEST(HealthCheck, WithNoHealthyServerTheAnswerIs503) {
    App one("1");
    App two("2");
    one.status = two.status = 500;
    Daemon daemon(config(with("")), ups(one.upstream, two.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    ASSERT_TRUE(wait_for_state(daemon, 1, "unhealthy"));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 503);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "no_live_upstream");
}

TEST(HealthCheck, ALoneServerIsTakenOutToo) {
    App one("1");
    one.status = 500;
    Daemon daemon(config(with(""), "UP1"), ups(one.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 503);
}

TEST(HealthCheck, AsksForWhatItIsTold) {
    App one("1");
    FakeUpstream checked;
    auto marks = ups(one.upstream);
    marks.set("PORT", std::to_string(checked.port()));
    Daemon daemon(config("{ path: '/a?b=c', host: app.test, method: OPTIONS, port: @PORT@, "
                         "interval: 100ms }",
                         "UP1"),
                  marks);
    ASSERT_TRUE(checked.wait_for_requests(2));
    const auto request = checked.request(0);
    EXPECT_EQ(request.method, "OPTIONS");
    EXPECT_EQ(request.target, "/a?b=c");
    EXPECT_EQ(request.headers.value("Host"), "app.test");
    EXPECT_EQ(request.headers.value("User-Agent"), "proxyd health check");
    EXPECT_EQ(one.upstream.connections(), 0);
}

TEST(HealthCheck, TheHostIsTheServerWhenNoneIsGiven) {
    FakeUpstream one;
    Daemon daemon(config("/healthz", "UP1"), ups(one));
    ASSERT_TRUE(one.wait_for_requests(1)) << "the first check does not wait for the interval";
    EXPECT_EQ(one.request(0).target, "/healthz");
    EXPECT_EQ(one.request(0).headers.value("Host"), "127.0.0.1:" + std::to_string(one.port()));
}

TEST(HealthCheck, TheBodyMustMatch) {
    App good("g");
    App bad("b");
    good.say(std::string(100, 'x') + "status: fine");
    bad.say("status: poor");
    for (const auto* body : {"'status: fine'", "'~^x+status: (fine|good)$'"}) {
        SCOPED_TRACE(body);
        Daemon daemon(config(with(std::string("body: ") + body)), ups(good.upstream, bad.upstream));
        ASSERT_TRUE(wait_for_state(daemon, 1, "unhealthy"));
        EXPECT_EQ(cause_of(daemon, 1), "the body does not match");
        ASSERT_TRUE(wait_for_checks(daemon, 0, 3));
        EXPECT_EQ(peer_of(daemon, 0)["checks_failed"].number(), 0);
        EXPECT_EQ(sequence(daemon, 3), "ggg");
    }
}

TEST(HealthCheck, OnlyTheFirst64KiBOfABodyAreLookedAt) {
    App near("n");
    App far("f");
    near.say(std::string(60'000, 'x') + "needle");
    far.say(std::string(70'000, 'x') + "needle");
    Daemon daemon(config(with("body: needle")), ups(near.upstream, far.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 1, "unhealthy"));
    EXPECT_EQ(peer_of(daemon, 0)["checks_failed"].number(), 0);
}

TEST(HealthCheck, ExpectNamesTheStatusesThatPass) {
    App one("1");
    App two("2");
    one.status = 401;
    two.status = 204;
    Daemon daemon(config(with("expect: [200, 4xx]")), ups(one.upstream, two.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 1, "unhealthy"));
    EXPECT_EQ(cause_of(daemon, 1), "status 204");
    EXPECT_EQ(peer_state(daemon, 0), "up");
}

TEST(HealthCheck, TcpWantsAConnectionOnly) {
    auto mute = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { (void)connection.wait_for_close(); });
    FakeUpstream gone;
    Daemon daemon(config("{ type: tcp, interval: 100ms, timeout: 300ms, fall: 2 }"),
                  ups(*mute, gone));
    ASSERT_TRUE(wait_for_checks(daemon, 0, 3));
    gone.stop();
    ASSERT_TRUE(wait_for_state(daemon, 1, "unhealthy"));
    EXPECT_EQ(cause_of(daemon, 1), "connect refused");
    EXPECT_EQ(peer_state(daemon, 0), "up");
    EXPECT_EQ(peer_of(daemon, 0)["checks_failed"].number(), 0);
}

TEST(HealthCheck, OneFailureBetweenPassedChecksIsForgiven) {
    std::atomic<int> number = 0;
    FakeUpstream flaky(
        [&](const Request&) { return text_reply("", number++ % 2 == 0 ? 500 : 200); });
    Daemon daemon(config(with(""), "UP1"), ups(flaky));
    ASSERT_TRUE(wait_for_checks(daemon, 0, 6));
    EXPECT_EQ(peer_state(daemon, 0), "up");
    EXPECT_EQ(daemon.log().find("is unhealthy"), std::string::npos);
}

// Each of these would hold up or upset a checker that trusts its peers.
TEST(HealthCheck, HostileServersFailWithTheirCauseAndHurtNobody) {
    auto mute = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { (void)connection.wait_for_close(); });
    auto slow = FakeUpstream::scripted([](UpstreamConnection& connection) {
        (void)connection.drip("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Duration(100));
    });
    auto garbage = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        (void)connection.read_request(request);
        (void)connection.send("220 mail.example.com ESMTP\r\n\r\n");
    });
    auto endless = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        (void)connection.read_request(request);
        if (connection.send("HTTP/1.1 200 OK\r\nX: ") != IoStatus::Ok) return;
        while (connection.send(std::string(4'096, 'x')) == IoStatus::Ok) {
        }
    });
    App good("g");
    Daemon daemon(config(with("body: ok"), "UP1 UP2 UP3 UP4 UP5"),
                  ups(*mute, *slow, *garbage, *endless, good.upstream));
    for (std::size_t index = 0; index < 4; ++index) {
        EXPECT_TRUE(wait_for_state(daemon, index, "unhealthy")) << index;
    }
    EXPECT_EQ(cause_of(daemon, 0), "timeout after 300 ms");
    EXPECT_EQ(cause_of(daemon, 1), "timeout after 300 ms");
    EXPECT_NE(cause_of(daemon, 2).find("did not answer in valid HTTP"), std::string::npos);
    EXPECT_NE(cause_of(daemon, 3).find("a head above"), std::string::npos);
    EXPECT_EQ(sequence(daemon, 6), "gggggg");
    EXPECT_EQ(peer_of(daemon, 4)["checks_failed"].number(), 0);
}

TEST(HealthCheck, AnEndlessBodyEndsTheCheckAtItsBound) {
    auto endless = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        (void)connection.read_request(request);
        if (connection.send("HTTP/1.1 200 OK\r\n\r\n") != IoStatus::Ok) return;
        while (connection.send(std::string(16'384, 'x')) == IoStatus::Ok) {
        }
    });
    Daemon daemon(config(with("body: ok"), "UP1"), ups(*endless));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    EXPECT_EQ(cause_of(daemon, 0), "the body does not match");
}

TEST(HealthCheck, AReloadKeepsTheVerdictOfWhatDidNotChange) {
    App one("1");
    App two("2");
    one.status = 503;
    const std::string slow = "{ path: /healthz, interval: 1h, fall: 1, rise: 1 }";
    Daemon daemon(config(slow), ups(one.upstream, two.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    const int asked = one.upstream.request_count();
    one.status = 200;
    daemon.reload(config(slow) + "via: off\n");
    EXPECT_EQ(peer_state(daemon, 0), "unhealthy");
    EXPECT_EQ(sequence(daemon, 4), "2222");
    daemon.reload(config("{ path: /healthz, interval: 1h, fall: 1, rise: 1, timeout: 1s }"));
    ASSERT_TRUE(wait_for_state(daemon, 0, "up")) << "a changed check begins anew";
    EXPECT_EQ(one.upstream.request_count(), asked + 1);
}

TEST(HealthCheck, AServerWhoseCheckIsRemovedIsHealthy) {
    App one("1");
    App two("2");
    one.status = 503;
    Daemon daemon(config(with("")), ups(one.upstream, two.upstream));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    daemon.reload(config("off"));
    ASSERT_TRUE(wait_for_state(daemon, 0, "up"));
    EXPECT_NE(sequence(daemon, 4).find('1'), std::string::npos);
    EXPECT_FALSE(peer_of(daemon, 0)["checked"].text() == "true");
}

std::string resting(const std::string& retry, const std::string& check) {
    return "workers: 4\nupstreams:\n  app:\n    servers:\n"
           "      - { address: \"127.0.0.1:@UP1@\", max_fails: 1, fail_timeout: 1h }\n"
           "      - \"127.0.0.1:@UP2@\"\n    retry: { on: " +
           retry + " }\n    health_check: " + check + "\nhosts: { \"*\": app }\n";
}

TEST(HealthCheck, APassedCheckEndsTheRestOfAServerThatWasGone) {
    std::atomic<bool> gone = true;
    auto restarting = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request) && !gone) connection.reply(text_reply("1"));
    });
    FakeUpstream two([](const Request&) { return text_reply("2"); });
    Daemon daemon(resting("[error]", "{ path: /, interval: 100ms, timeout: 300ms, fall: 100 }"),
                  ups(*restarting, two));
    EXPECT_EQ(sequence(daemon, 4), "2222");
    EXPECT_EQ(peer_state(daemon, 0), "failed");
    gone = false;
    ASSERT_TRUE(wait_for_state(daemon, 0, "up"));
    EXPECT_NE(sequence(daemon, 4).find('1'), std::string::npos);
}

TEST(HealthCheck, APassedCheckDoesNotExcuseAnswersThatFail) {
    App failing("1");
    FakeUpstream one([&](const Request& request) {
        return request.target == "/healthz" ? text_reply("ok") : text_reply("1", 500);
    });
    FakeUpstream two([](const Request&) { return text_reply("2"); });
    Daemon daemon(resting("[http_500]", with("")), ups(one, two));
    EXPECT_EQ(sequence(daemon, 4), "2222");
    const double checks = peer_of(daemon, 0)["checks_passed"].number();
    ASSERT_TRUE(wait_for_checks(daemon, 0, checks + 3));
    EXPECT_EQ(peer_state(daemon, 0), "failed");
    EXPECT_EQ(cause_of(daemon, 0), "upstream_status");
}

TEST(HealthCheck, StopsAtOnceWhileAServerIsSilent) {
    auto mute = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { (void)connection.wait_for_close(Duration(60'000)); });
    Daemon daemon(config("{ path: /, interval: 100ms, timeout: 1h }", "UP1"), ups(*mute));
    ASSERT_TRUE(mute->wait_for_connections(1));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait_exit(Duration(5'000)).code, 0);
}

}  // namespace
}  // namespace proxyd::test
