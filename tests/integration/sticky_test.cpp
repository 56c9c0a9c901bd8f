// sticky: a cookie keeps a client on its server.
#include "support/daemon.hpp"
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

}  // namespace
}  // namespace proxyd::test
