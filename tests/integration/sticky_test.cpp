// sticky: a cookie keeps a client on its server.
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

const std::string kThree = R"(
trusted_proxies: [127.0.0.0/8]
upstreams:
  app:
    servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@", "127.0.0.1:@UP3@"]
    sticky: { cookie: srv, ttl: 1h }
hosts:
  "*": app
)";

// "srv=..." of a Set-Cookie.
std::string cookie_of(const Response& response) {
    const std::string text = response.headers.value("Set-Cookie");
    return text.substr(0, text.find(';'));
}

TEST(Sticky, TheFirstAnswerSetsTheCookieAndLaterOnesDoNot) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    Daemon daemon(kThree, ups(one, two, three));
    const auto first = get_once(daemon.http(), "/");
    const std::string text = first.headers.value("Set-Cookie");
    const std::string cookie = cookie_of(first);
    EXPECT_EQ(text, cookie + "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax");
    EXPECT_EQ(cookie.size(), 4 + 16U) << cookie;
    EXPECT_EQ(cookie.find("127"), std::string::npos);
    const auto again = get_once(daemon.http(), "/", "Cookie: " + cookie + "\r\n");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.headers.value("Set-Cookie"), "");
}

// Twice each: taking turns would give another server.
void expect_stay(Daemon& daemon, const std::map<std::string, std::string>& cookies) {
    for (const auto& [body, cookie] : cookies) {
        for (int number = 0; number < 2; ++number) {
            EXPECT_EQ(get_once(daemon.http(), "/", "Cookie: " + cookie + "\r\n").body, body);
        }
    }
}

TEST(Sticky, AClientStaysOnEveryWorkerAndAcrossReloadsAndRestarts) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    std::map<std::string, std::string> cookies;
    {
        Daemon daemon(kThree, ups(one, two, three));
        for (int number = 0; number < 9; ++number) {
            const auto response = get_once(daemon.http(), "/");
            cookies[response.body] = cookie_of(response);
        }
        ASSERT_EQ(cookies.size(), 3U);
        for (int number = 0; number < 5; ++number) expect_stay(daemon, cookies);
        daemon.reload(kThree + "server_header: off\n");
        expect_stay(daemon, cookies);
    }
    Daemon daemon(kThree, ups(one, two, three));
    expect_stay(daemon, cookies);
}

TEST(Sticky, ItsCookieDoesNotGoUpstreamAndTheOthersDo) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    Daemon daemon(kThree, ups(one, two, three));
    RawClient client(daemon.http());
    const std::string cookie = cookie_of(client.get("/"));
    client.get("/", "Cookie: a=1; " + cookie + "; b=2\r\n");
    EXPECT_EQ(one.last_request().headers.value("Cookie"), "a=1; b=2");
    client.get("/", "Cookie: " + cookie + "\r\n");
    EXPECT_EQ(one.last_request().headers.count("Cookie"), 0U);
    client.get("/", "Cookie: " + cookie + "\r\nCookie: c=3\r\n");
    EXPECT_EQ(one.last_request().headers.value("Cookie"), "c=3");
}

TEST(Sticky, AnotherServerTakesOverAndTheCookieIsSetAnew) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    Daemon daemon(kThree, ups(one, two, three));
    const auto first = get_once(daemon.http(), "/");
    const std::string cookie = cookie_of(first);
    ASSERT_EQ(first.body, "1");
    one.stop();
    const auto second = get_once(daemon.http(), "/", "Cookie: " + cookie + "\r\n");
    EXPECT_EQ(second.status, 200);
    EXPECT_NE(second.body, "1");
    const std::string renewed = cookie_of(second);
    EXPECT_NE(renewed, "");
    EXPECT_NE(renewed, cookie);
    EXPECT_EQ(get_once(daemon.http(), "/", "Cookie: " + renewed + "\r\n").body, second.body);
}

TEST(Sticky, StrangeValuesAreReplaced) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    Daemon daemon(kThree, ups(one, two, three));
    for (const std::string value : {"", "x", "0123456789abcdef", "\"\"", "127.0.0.1"}) {
        const auto response = get_once(daemon.http(), "/", "Cookie: srv=" + value + "\r\n");
        EXPECT_EQ(response.status, 200);
        EXPECT_NE(cookie_of(response), "") << value;
    }
}

TEST(Sticky, SecureWhereTheClientSpeaksHttps) {
    FakeUpstream one(named("1")), two(named("2")), three(named("3"));
    Daemon daemon(kThree, ups(one, two, three));
    const auto response = get_once(daemon.http(), "/", "X-Forwarded-Proto: https\r\n");
    EXPECT_NE(response.headers.value("Set-Cookie").find("; Secure"), std::string::npos);
}

TEST(Sticky, StandsBesideTheUpstreamsOwnCookies) {
    FakeUpstream one([](const Request&) {
        Reply reply = text_reply("1");
        reply.headers.add("Set-Cookie", "session=x");
        return reply;
    });
    Daemon daemon(
        "upstreams: { app: { servers: \"127.0.0.1:@UP1@\", sticky: srv } }\n"
        "hosts: { \"*\": app }\n",
        ups(one));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.headers.count("Set-Cookie"), 2U);
    EXPECT_EQ(response.headers.value("Set-Cookie"), "session=x");
}

// The server that drains has a place for its own clients only; they need not wait for the others'.
TEST(Sticky, WhoStaysOnADrainingServerDoesNotWaitBehindThoseWhoMayNotGoThere) {
    Gate gate;
    const auto slow_at = [&](std::string name) {
        return [&gate, name](const Request& request) {
            if (request.target == "/slow") (void)gate.wait();
            return text_reply(name);
        };
    };
    FakeUpstream one(slow_at("1")), two(slow_at("2"));
    Daemon daemon(R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", max_conns: 1 }
      - { address: "127.0.0.1:@UP2@", max_conns: 1 }
    sticky: srv
    queue: { size: 1, timeout: 60s }
hosts:
  "*": app
)",
                  ups(one, two));
    const auto first = get_once(daemon.http(), "/");
    ASSERT_EQ(first.body, "1");
    const std::string name = "127.0.0.1:" + std::to_string(one.port());
    ASSERT_EQ(daemon.cli({"upstream", "drain", "app", name}).exit_code, 0);
    RawClient busy(daemon.http()), waits(daemon.http());
    busy.send(get_request("/slow"));
    ASSERT_TRUE(two.wait_for_heads(1));
    waits.send(get_request("/"));
    ASSERT_TRUE(eventually([&] {
        const auto status = Json::parse(daemon.cli({"status", "--json"}).out);
        return status && (*status)["upstreams"].array()[0]["waiting"].number() == 1;
    }));
    EXPECT_EQ(get_once(daemon.http(), "/", "Cookie: " + cookie_of(first) + "\r\n").body, "1");
    gate.open();
    EXPECT_EQ(busy.read_response().body, "2");
    EXPECT_EQ(waits.read_response().body, "2");
}

}  // namespace
}  // namespace proxyd::test
