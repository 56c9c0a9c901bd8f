// retry: which failures go to the next server, and which requests never do.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::unique_ptr<FakeUpstream> hangs_up() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        connection.read_request(request);
    });
}

std::string two_servers(std::string_view first, std::string_view retry = "") {
    return "upstreams:\n  app:\n    servers: [\"127.0.0.1:" + std::string(first) +
           "\", \"127.0.0.1:@UP2@\"]\n" + std::string(retry) + "hosts:\n  \"*\": app\n";
}

TEST(Retry, RefusedServerIsSkippedForEveryMethod) {
    FakeUpstream unused;
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(two_servers("@DEAD@"), ups(unused, good));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").body, "good");
    EXPECT_EQ(client.exchange(body_request("POST", "/", "x")).body, "good");
    EXPECT_EQ(good.request_count(), 2);
}

TEST(Retry, GetGoesOnWhenTheServerHangsUp) {
    const auto bad = hangs_up();
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(two_servers("@UP1@"), ups(*bad, good));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "good");
    EXPECT_EQ(bad->request_count(), 1);
}

TEST(Retry, PostDoesNotGoOnOnceSent) {
    const auto bad = hangs_up();
    FakeUpstream good;
    Daemon daemon(two_servers("@UP1@"), ups(*bad, good));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/", "x")).status, 502);
    EXPECT_EQ(good.request_count(), 0);
}

TEST(Retry, PostGoesOnWhereTheOperatorAllowsIt) {
    const auto bad = hangs_up();
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(two_servers("@UP1@", "    retry: { non_idempotent: true }\n"), ups(*bad, good));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/", "x")).body, "good");
    EXPECT_EQ(good.last_request().body, "x");
}

TEST(Retry, TimeoutGoesOnForAGet) {
    const auto slow = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(two_servers("@UP1@", "    timeouts: { read: 200ms }\n"), ups(*slow, good));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "good");
}

TEST(Retry, StatusIsRelayedUnlessListed) {
    FakeUpstream bad([](const Request&) { return text_reply("bad", 503); });
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    {
        Daemon daemon(two_servers("@UP1@"), ups(bad, good));
        EXPECT_EQ(get_once(daemon.http(), "/").status, 503);
    }
    Daemon daemon(two_servers("@UP1@", "    retry: { on: [error, http_503] }\n"), ups(bad, good));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "good");
}

TEST(Retry, WithNoServerLeftTheLastResultIsRelayed) {
    FakeUpstream first([](const Request&) { return text_reply("one", 503); });
    FakeUpstream second([](const Request&) { return text_reply("two", 503); });
    Daemon daemon(two_servers("@UP1@", "    retry: { on: [error, http_503] }\n"),
                  ups(first, second));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body, "two");
    EXPECT_EQ(first.request_count(), 1);
    EXPECT_EQ(second.request_count(), 1);
}

TEST(Retry, AttemptsBoundTheTries) {
    const auto bad = hangs_up();
    const auto worse = hangs_up();
    FakeUpstream good;
    Daemon daemon(R"(
upstreams:
  app:
    servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@", "127.0.0.1:@UP3@"]
    retry: { attempts: 2 }
hosts:
  "*": app
)",
                  ups(*bad, *worse, good));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(good.request_count(), 0);
}

TEST(Retry, NoNewAttemptBehindTheTimeLimit) {
    const auto silent = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) (void)connection.wait_for_close();
    });
    FakeUpstream good;
    for (const std::string limit : {"200ms", "20s"}) {
        SCOPED_TRACE(limit);
        const int before = good.request_count();
        Daemon daemon("upstreams:\n  app:\n    servers: [\"127.0.0.1:@UP1@\", { address: "
                      "\"127.0.0.1:@UP2@\", backup: true }]\n    timeouts: { read: 500ms }\n"
                      "    retry: { on: [timeout], timeout: " +
                          limit + " }\nhosts: { \"*\": app }\n",
                      ups(*silent, good));
        EXPECT_EQ(get_once(daemon.http(), "/").status, limit == "20s" ? 200 : 504);
        EXPECT_EQ(good.request_count() - before, limit == "20s" ? 1 : 0);
    }
}

TEST(Retry, InvalidHeaderGoesOnWhenListed) {
    const auto garbage = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.send("ICY 200 OK\r\n\r\n");
    });
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(two_servers("@UP1@", "    retry: { on: [invalid_header] }\n"),
                  ups(*garbage, good));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "good");
}

TEST(Retry, NothingIsRetriedOnceTheAnswerBegan) {
    const auto cut = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(50, 'x'));
    });
    FakeUpstream good;
    Daemon daemon(
        "upstreams: { app: { servers: [\"127.0.0.1:@UP1@\", \"127.0.0.1:@UP2@\"] } }\n"
        "hosts: { \"*\": { upstream: app, buffering: off } }\n",
        ups(*cut, good));
    EXPECT_FALSE(get_once(daemon.http(), "/").complete());
    EXPECT_EQ(good.request_count(), 0);
}

TEST(Retry, StreamedBodyIsNotRetriedOncePartsWereSent) {
    const auto bad = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_head(request)) connection.wire().wait_for_event(kLimit);
    });
    FakeUpstream good;
    Daemon daemon(
        "upstreams: { app: { servers: [\"127.0.0.1:@UP1@\", \"127.0.0.1:@UP2@\"] } }\n"
        "hosts: { \"*\": { upstream: app, request_buffering: off } }\n",
        ups(*bad, good));
    RawClient client(daemon.http());
    client.send("PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\n");
    client.try_send(std::string(200'000, 'x'), Duration(1000));
    EXPECT_EQ(client.read_response().status, 502);
    EXPECT_EQ(good.request_count(), 0);
}

}  // namespace
}  // namespace proxyd::test
