// Fields of one connection end there, named ones too; what matters can't be removed by naming it.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = "hosts: { \"*\": @UP1@ }\n";

TEST(HopByHop, RequestFieldsStopHere) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    get_once(daemon.http(), "/",
             "Connection: keep-alive, X-Secret , x-other\r\nConnection: X-Third\r\n"
             "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip, trailers\r\n"
             "X-Secret: 1\r\nX-Other: 2\r\nx-third: 3\r\nX-Stays: 4\r\n");
    const auto request = upstream.last_request();
    for (const auto* name :
         {"Keep-Alive", "Proxy-Connection", "Upgrade", "X-Secret", "X-Other", "X-Third"}) {
        EXPECT_FALSE(request.headers.has(name)) << name;
    }
    const auto te = to_lower(request.headers.value("TE"));
    EXPECT_TRUE(te.empty() || te == "trailers") << te;
    EXPECT_EQ(request.headers.value("X-Stays"), "4");
    EXPECT_EQ(to_lower(request.headers.value("Connection")).find("x-secret"), std::string::npos);
}

TEST(HopByHop, EndToEndFieldsCannotBeRemovedByNamingThem) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.exchange(
        body_request("POST", "/", "abc",
                     "Connection: close, Host, Authorization, Cookie, Content-Length, "
                     "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP\r\n"
                     "Authorization: Basic eA==\r\nCookie: a=b\r\n"));
    EXPECT_EQ(response.status, 200);
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("Host"), "app.test");
    EXPECT_EQ(request.headers.value("Authorization"), "Basic eA==");
    EXPECT_EQ(request.headers.value("Cookie"), "a=b");
    EXPECT_EQ(request.headers.value("X-Forwarded-For"), "127.0.0.1");
    EXPECT_EQ(request.headers.value("X-Forwarded-Proto"), "http");
    EXPECT_EQ(request.headers.value("X-Real-IP"), "127.0.0.1");
    EXPECT_EQ(request.body, "abc");
}

TEST(HopByHop, ResponseFieldsStopHere) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.headers = {{"Connection", "X-Inner"},
                         {"X-Inner", "1"},
                         {"Keep-Alive", "timeout=5"},
                         {"Proxy-Connection", "keep-alive"},
                         {"X-Outer", "2"}};
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.headers.has("X-Inner"));
    EXPECT_FALSE(response.headers.has("Keep-Alive"));
    EXPECT_FALSE(response.headers.has("Proxy-Connection"));
    EXPECT_EQ(response.headers.value("X-Outer"), "2");
}

TEST(HopByHop, UpgradeWithoutConnectionIsDropped) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "Upgrade: websocket\r\n").status, 200);
    EXPECT_FALSE(upstream.last_request().headers.has("Upgrade"));
}

TEST(Names, UnderscoreNamesOfClientsAreDropped) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    get_once(daemon.http(), "/", "X_Forwarded_For: 6.6.6.6\r\nmy_field: 1\r\nMy-Field: 2\r\n");
    const auto request = upstream.last_request();
    EXPECT_FALSE(request.headers.has("X_Forwarded_For"));
    EXPECT_FALSE(request.headers.has("my_field"));
    EXPECT_EQ(request.headers.value("My-Field"), "2");
}

TEST(Names, UnderscoreNamesOfUpstreamsPass) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.headers.add("app_field", "1");
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").headers.value("app_field"), "1");
}

TEST(Via, NamesTheReceivedVersionAndAppends) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    client.get("/");
    EXPECT_EQ(upstream.last_request().headers.value("Via"), "1.1 proxyd");
    client.get("/", "Via: 1.0 edge\r\n");
    const auto all = upstream.last_request().headers.all("Via");
    std::string joined;
    for (const auto& value : all) joined += (joined.empty() ? "" : ", ") + value;
    EXPECT_EQ(joined, "1.0 edge, 1.1 proxyd");
    RawClient(daemon.http()).exchange("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(upstream.last_request().headers.value("Via"), "1.0 proxyd");
}

}  // namespace
}  // namespace proxyd::test
