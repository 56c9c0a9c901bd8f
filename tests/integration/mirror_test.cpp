// mirror: copies of requests for a shadow upstream, which no client ever notices.
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

namespace proxyd::test {
namespace {

std::string mirrored(const std::string& mirror, const std::string& more = "",
                     const std::string& upstreams = "") {
    return "workers: 2\nupstreams:\n  app: \"127.0.0.1:@UP1@\"\n" +
           (upstreams.empty() ? "  shadow: \"127.0.0.1:@UP2@\"\n" : upstreams) +
           "hosts:\n  \"*\": { upstream: app, mirror: " + mirror + more + " }\n";
}

// The counters of `proxyd status`.
struct Counts {
    std::int64_t running = 0, sent = 0, failed = 0, left_out = 0;
};

Counts counts(const Daemon& daemon) {
    const Json status = Json::parse(daemon.cli({"status", "--json"}).out).value_or(Json{});
    const Json& mirrors = status["mirrors"];
    Counts counts;
    counts.running = static_cast<std::int64_t>(mirrors["running"].number());
    counts.sent = static_cast<std::int64_t>(mirrors["sent"].number());
    counts.failed = static_cast<std::int64_t>(mirrors["failed"].number());
    counts.left_out = static_cast<std::int64_t>(mirrors["left_out"].number());
    return counts;
}

std::unique_ptr<FakeUpstream> hangs() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
}

TEST(Mirror, TheShadowGetsWhatTheUpstreamGets) {
    FakeUpstream app([](const Request&) { return text_reply("app"); });
    FakeUpstream shadow([](const Request&) { return text_reply("shadow", 500); });
    Daemon daemon(mirrored("shadow"), ups(app, shadow));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/a%2Fb?c=d", "X-Mirror: no\r\nCookie: e=f\r\n").body, "app");
    ASSERT_TRUE(shadow.wait_for_requests(1));
    const auto real = app.last_request();
    const auto copy = shadow.last_request();
    EXPECT_EQ(copy.method, "GET");
    EXPECT_EQ(copy.target, "/a%2Fb?c=d");
    for (const char* name : {"Host", "Cookie", "X-Forwarded-For", "X-Request-ID", "Via"}) {
        EXPECT_EQ(copy.headers.value(name), real.headers.value(name)) << name;
        EXPECT_NE(copy.headers.value(name), "") << name;
    }
    EXPECT_EQ(copy.headers.all("X-Mirror"), std::vector<std::string>{"1"});
    EXPECT_EQ(real.headers.value("X-Mirror"), "no");
}

TEST(Mirror, BodiesThatAreHeldAreCopiedWhole) {
    FakeUpstream app, shadow;
    Daemon daemon(mirrored("shadow"), ups(app, shadow));
    RawClient client(daemon.http());
    const std::string body(100'000, 'b');
    EXPECT_EQ(client.exchange(body_request("POST", "/", body)).status, 200);
    ASSERT_TRUE(shadow.wait_for_requests(1));
    EXPECT_EQ(shadow.last_request().method, "POST");
    EXPECT_EQ(shadow.last_request().body, body);
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n" +
                chunked(body, 4096, "X-T: 1\r\n"));
    EXPECT_EQ(client.read_response().status, 200);
    ASSERT_TRUE(shadow.wait_for_requests(2));
    EXPECT_EQ(shadow.last_request().body, body);
}

TEST(Mirror, StreamedBodiesAreLeftOutAndCounted) {
    FakeUpstream app, shadow;
    Daemon daemon(mirrored("shadow", ", buffers: { request: 10k }"), ups(app, shadow));
    RawClient client(daemon.http());
    const std::string body(200'000, 'b');
    EXPECT_EQ(client.exchange(body_request("POST", "/", body)).status, 200);
    EXPECT_EQ(app.last_request().body, body);
    EXPECT_EQ(counts(daemon).left_out, 1);
    EXPECT_EQ(client.get("/").status, 200);
    ASSERT_TRUE(shadow.wait_for_requests(1));
    EXPECT_EQ(shadow.last_request().method, "GET");
}

TEST(Mirror, PercentOfTheRequests) {
    FakeUpstream app, shadow;
    Daemon daemon(mirrored("{ upstream: shadow, percent: 25 }", ", access_log: off"),
                  ups(app, shadow));
    RawClient client(daemon.http());
    for (int number = 0; number < 2'000; ++number) ASSERT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(eventually([&] { return counts(daemon).running == 0; }));
    EXPECT_NEAR(counts(daemon).sent, 500, 100);  // five standard deviations
    EXPECT_EQ(shadow.request_count(), counts(daemon).sent);
}

TEST(Mirror, OffWhereALevelSaysSo) {
    FakeUpstream app, shadow;
    Daemon daemon(mirrored("shadow",
                           ", locations: { /: {}, /private/: { mirror: off }, "
                           "/none/: { mirror: { percent: 0 } } }"),
                  ups(app, shadow));
    RawClient client(daemon.http());
    client.get("/private/x");
    client.get("/none/x");
    client.get("/x");
    ASSERT_TRUE(shadow.wait_for_requests(1));
    EXPECT_TRUE(eventually([&] { return counts(daemon).running == 0; }));
    EXPECT_EQ(shadow.request_count(), 1);
    EXPECT_EQ(shadow.last_request().target, "/x");
}

TEST(Mirror, ADeadShadowIsInvisible) {
    FakeUpstream app;
    Daemon daemon(mirrored("shadow", "", "  shadow: \"127.0.0.1:@DEAD@\"\n"), ups(app));
    RawClient client(daemon.http());
    for (int number = 0; number < 10; ++number) EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(client.exchange(body_request("POST", "/", "x")).status, 200);
    EXPECT_TRUE(eventually([&] { return counts(daemon).failed == 11; }));
    EXPECT_TRUE(daemon.wait_for_log("a copy for upstream 'shadow' failed: upstream_refused"));
    const auto lines = daemon.wait_for_access(11);
    EXPECT_EQ(lines.size(), 11U);
    EXPECT_EQ(daemon.access(0)["status"].number(), 200);
}

TEST(Mirror, AShadowThatNeverAnswersHoldsNobodyAndIsLetGo) {
    FakeUpstream app;
    const auto shadow = hangs();
    Daemon daemon(
        mirrored("shadow", "",
                 "  shadow: { servers: \"127.0.0.1:@UP2@\", timeouts: { total: 300ms } }\n"),
        ups(app, *shadow));
    RawClient client(daemon.http());
    for (int number = 0; number < 5; ++number) EXPECT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(shadow->wait_for_aborted(5));
    EXPECT_TRUE(eventually([&] { return counts(daemon).failed == 5; }));
    EXPECT_EQ(counts(daemon).running, 0);
}

TEST(Mirror, AnEndlessAnswerIsCutOff) {
    FakeUpstream app;
    const auto shadow = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const std::string chunk = "10000\r\n" + std::string(65'536, 'x') + "\r\n";
        for (int count = 0; count < 10'000; ++count) {
            if (connection.send(chunk) != IoStatus::Ok) break;
        }
        connection.wait_for_close();
    });
    Daemon daemon(mirrored("shadow"), ups(app, *shadow));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
    EXPECT_TRUE(shadow->wait_for_open(0));
    EXPECT_TRUE(eventually([&] { return counts(daemon).running == 0; }));
}

TEST(Mirror, GarbageAndAClosedConnectionAreInvisibleToo) {
    FakeUpstream app;
    const auto shadow = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request) && connection.number() % 2 == 0) {
            connection.send("what?\r\n\r\n");
        }
    });
    Daemon daemon(mirrored("shadow"), ups(app, *shadow));
    RawClient client(daemon.http());
    for (int number = 0; number < 4; ++number) EXPECT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(eventually([&] { return counts(daemon).running == 0; }));
    EXPECT_EQ(client.get("/").status, 200);
}

TEST(Mirror, TheCopyGoesOnWhenTheClientLeaves) {
    const auto app = hangs();
    Gate answer;
    FakeUpstream late([&](const Request&) {
        static_cast<void>(answer.wait());
        return text_reply("late");
    });
    Daemon daemon(mirrored("shadow"), ups(*app, late));
    {
        RawClient client(daemon.http());
        client.send(get_request("/"));
        ASSERT_TRUE(app->wait_for_requests(1));
        ASSERT_TRUE(late.wait_for_heads(1));
        client.reset();
    }
    EXPECT_TRUE(app->wait_for_aborted(1));
    EXPECT_EQ(counts(daemon).running, 1);
    answer.open();
    EXPECT_TRUE(eventually([&] { return counts(daemon).sent == 1; }));
}

TEST(Mirror, ManyAtOneTimeAreBoundedForEachWorker) {
    FakeUpstream app;
    const auto shadow = hangs();
    std::string config = mirrored("shadow", ", access_log: off");
    config.replace(config.find("workers: 2"), 10, "workers: 1");
    Daemon daemon(config, ups(app, *shadow));
    RawClient client(daemon.http());
    for (int number = 0; number < 300; ++number) ASSERT_EQ(client.get("/").status, 200);
    EXPECT_EQ(counts(daemon).running, 256);
    EXPECT_EQ(counts(daemon).left_out, 44);
    EXPECT_NE(
        daemon.cli({"status"}).out.find("mirrors: running 256, sent 0, failed 0, left out 44"),
        std::string::npos);
}

TEST(Mirror, AStopDoesNotWaitLongForTheShadow) {
    FakeUpstream app;
    const auto shadow = hangs();
    Daemon daemon(mirrored("shadow"), ups(app, *shadow));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    ASSERT_TRUE(shadow->wait_for_requests(1));
    daemon.signal(SIGQUIT);
    EXPECT_EQ(daemon.wait_exit(Duration(10'000)).code, 0);
}

TEST(Mirror, AQuickStopCutsTheShadow) {
    FakeUpstream app;
    const auto shadow = hangs();
    Daemon daemon(mirrored("shadow"), ups(app, *shadow));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    ASSERT_TRUE(shadow->wait_for_requests(1));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait_exit(Duration(5'000)).code, 0);
}

TEST(Mirror, AReloadLeavesRunningCopiesAlone) {
    FakeUpstream app;
    Gate answer;
    FakeUpstream shadow([&](const Request&) {
        static_cast<void>(answer.wait());
        return text_reply("late");
    });
    Daemon daemon(mirrored("shadow"), ups(app, shadow));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    ASSERT_TRUE(shadow.wait_for_heads(1));
    daemon.reload("workers: 2\nhosts: { \"*\": { return: 200 } }\n");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    answer.open();
    EXPECT_TRUE(eventually([&] { return counts(daemon).sent == 1; }));
}

TEST(Mirror, HeadRequestsAndKeptConnections) {
    FakeUpstream app, shadow;
    std::string config = mirrored("shadow");
    config.replace(config.find("workers: 2"), 10, "workers: 1");
    Daemon daemon(config, ups(app, shadow));
    RawClient client(daemon.http());
    for (int number = 1; number <= 4; ++number) {
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(client.read_response("HEAD").status, 200);
        EXPECT_TRUE(eventually([&] { return counts(daemon).sent == number; }));
    }
    EXPECT_EQ(shadow.connections(), 1);
}

TEST(Mirror, TheShadowsConnectionsBeginAsItsOwn) {
    FakeUpstream app, shadow;
    const Authority authority("the authority");
    TlsFrontOptions options;
    options.pair = authority.issue({.names = {"shadow.internal"}, .addresses = {}});
    TlsFront front(shadow.port(), options);
    const TempDir temp;
    const std::string ca = temp.write("ca.pem", authority.pem()).string();
    auto files = ups(app);
    files.set("TLS", std::to_string(front.port()));
    files.set("CA", ca);
    Daemon daemon(mirrored("shadow", "",
                           "  shadow: { servers: [\"https://127.0.0.1:@TLS@\"], tls: { ca: "
                           "\"@CA@\", server_name: shadow.internal } }\n"),
                  files);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(shadow.wait_for_requests(1));
    ASSERT_EQ(front.seen().size(), 1U);
    EXPECT_EQ(front.seen()[0].name, "shadow.internal");
}

// The keys of a shadow upstream go by the request that is copied.
TEST(Mirror, TheShadowsServerIsChosenByTheRequest) {
    for (const std::string balance :
         {"balance: ip_hash", "balance: hash, hash: $request_uri",
          "balance: hash, hash: { key: $request_uri, consistent: true }"}) {
        SCOPED_TRACE(balance);
        FakeUpstream app, one, two;
        Daemon daemon(mirrored("shadow", "",
                               "  shadow: { " + balance +
                                   ", servers: [\"127.0.0.1:@UP2@\", \"127.0.0.1:@UP3@\"] }\n") +
                          "trusted_proxies: [127.0.0.0/8]\n",
                      ups(app, one, two));
        RawClient client(daemon.http());
        for (int number = 0; number < 60; ++number) {
            const std::string key = std::to_string(number % 20);
            ASSERT_EQ(client.get("/" + key, "X-Forwarded-For: 10." + key + ".0.1\r\n").status, 200);
        }
        EXPECT_TRUE(eventually([&] { return counts(daemon).sent == 60; }));
        EXPECT_EQ(one.request_count() % 3, 0) << "each key at one server";
        EXPECT_GT(one.request_count(), 0);
        EXPECT_GT(two.request_count(), 0);
    }
}

TEST(Mirror, TheShadowsCertificateIsForTheNameThatWasAsked) {
    const Authority authority("the authority");
    const TempDir temp;
    const auto ca = temp.path() / "ca.pem";
    std::ofstream(ca) << authority.pem();
    FakeUpstream app, shadow;
    TlsFrontOptions options;
    options.pair = authority.issue({.names = {"shop.test"}, .addresses = {}});
    TlsFront front(shadow.port(), options);
    Daemon daemon(mirrored("shadow", "",
                           "  shadow: { servers: \"127.0.0.1:@UP2@\", tls: { server_name: $host, "
                           "ca: \"" +
                               ca.string() + "\" } }\n"),
                  ups(app, front));
    RawClient client(daemon.http());
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_TRUE(eventually([&] { return counts(daemon).sent == 1; }));
    EXPECT_EQ(front.seen().at(0).name, "shop.test");
}

TEST(Mirror, AProxyHeaderNamesTheClient) {
    Watched<std::string> header;
    FakeUpstream app;
    const auto shadow = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Wire& wire = connection.wire();
        while (wire.view().find('\n') == std::string_view::npos) {
            if (wire.fill(Deadline(kLimit)) != IoStatus::Ok) return;
        }
        const std::size_t end = wire.view().find('\n') + 1;
        header.change([&](auto& text) { text = wire.view().substr(0, end); });
        wire.consume(end);
        Request request;
        while (connection.read_request(request)) connection.reply(text_reply("ok"));
    });
    Daemon daemon(
        mirrored("shadow", "", "  shadow: { servers: \"127.0.0.1:@UP2@\", proxy_protocol: v1 }\n"),
        ups(app, *shadow));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(eventually([&] { return counts(daemon).sent == 1; }));
    EXPECT_EQ(header.get(), "PROXY TCP4 127.0.0.1 127.0.0.1 " +
                                std::to_string(client.local_port()) + " " +
                                std::to_string(daemon.http()) + "\r\n");
}

}  // namespace
}  // namespace proxyd::test
