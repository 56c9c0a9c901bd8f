// A plain request goes through: line, fields, bodies and status arrive as they were sent.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kEveryHost = R"(
hosts:
  "*": @UP1@
)";

TEST(Forwarding, RequestLineAndHostArriveAsSent) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    const auto* target = "/a%20b/%7Ec/x?q=1&r=%2F&&=";
    EXPECT_EQ(get_once(daemon.http(), target, "", "App.Example.com:8080").status, 200);
    const auto request = upstream.last_request();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, target);
    EXPECT_EQ(request.version, "HTTP/1.1");
    EXPECT_EQ(request.headers.all("Host"), std::vector<std::string>{"App.Example.com:8080"});
}

TEST(Forwarding, EveryCommonMethodGoesThrough) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.method); });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    for (const std::string method : {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
        SCOPED_TRACE(method);
        const auto response = client.exchange(body_request(method, "/m", ""), method);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, method);
    }
}

TEST(Forwarding, WebDavMethodsGoThroughToo) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.method); });
    Daemon daemon(kEveryHost, ups(upstream));
    for (const std::string method : {"PROPFIND", "REPORT", "MKCOL", "LOCK"}) {
        SCOPED_TRACE(method);
        RawClient client(daemon.http());
        EXPECT_EQ(client.exchange(body_request(method, "/m", ""), method).body, method);
    }
}

TEST(Forwarding, OptionsStarKeepsItsTarget) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange("OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n").status, 200);
    EXPECT_EQ(upstream.last_request().target, "*");
}

TEST(Forwarding, AbsoluteFormTargetGoesOnAsAPathWithItsHost) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    const auto response =
        client.exchange("GET http://app.test/path?q=1 HTTP/1.1\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(upstream.last_request().target, "/path?q=1");
    EXPECT_EQ(upstream.last_request().headers.value("Host"), "app.test");
}

TEST(Forwarding, EndToEndFieldsPassBothWays) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x", 201);
        reply.headers = {{"Content-Type", "text/weird"},
                         {"Set-Cookie", "a=1; Path=/"},
                         {"Set-Cookie", "b=2"},
                         {"X-App", "v, w"},
                         {"ETag", "\"abc\""}};
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    const auto response =
        get_once(daemon.http(), "/",
                 "Accept: */*\r\nCookie: c=1; d=2\r\nAuthorization: Basic eA==\r\n"
                 "X-Multi: 1\r\nX-Multi: 2\r\nX-Empty:\r\n");
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.headers.all("Set-Cookie"), (std::vector<std::string>{"a=1; Path=/", "b=2"}));
    EXPECT_EQ(response.headers.value("Content-Type"), "text/weird");
    EXPECT_EQ(response.headers.value("X-App"), "v, w");
    EXPECT_EQ(response.headers.value("ETag"), "\"abc\"");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("Accept"), "*/*");
    EXPECT_EQ(request.headers.value("Cookie"), "c=1; d=2");
    EXPECT_EQ(request.headers.value("Authorization"), "Basic eA==");
    EXPECT_EQ(request.headers.all("X-Multi"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(request.headers.find("X-Empty"), "");
}

TEST(Forwarding, StatusesOfTheUpstreamAreRelayed) {
    FakeUpstream upstream([](const Request& request) {
        return text_reply("s", std::stoi(request.target.substr(1)));
    });
    Daemon daemon(kEveryHost, ups(upstream));
    RawClient client(daemon.http());
    for (const int status : {200, 202, 226, 300, 301, 400, 404, 418, 429, 451, 500, 503, 599}) {
        SCOPED_TRACE(status);
        const auto response = client.get("/" + std::to_string(status));
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.body, "s");
    }
}

TEST(Forwarding, ServerFieldOfTheUpstreamPassesByDefault) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.headers.add("Server", "app/7");
        return reply;
    });
    Daemon daemon(kEveryHost, ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").headers.value("Server"), "app/7");
}

TEST(Forwarding, OwnAnswersNameTheServerWithoutVersion) {
    Daemon daemon(R"(
hosts:
  app.test: { return: 410 }
)");
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 410);
    EXPECT_EQ(response.headers.value("Server"), "proxyd");
}

TEST(Forwarding, RefusedUpstreamIs502AndSaysWhyToLoopbackClients) {
    Daemon daemon(R"(
hosts:
  "*": @DEAD@
)");
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 502);
    const auto address = "127.0.0.1:" + std::to_string(daemon.port("DEAD"));
    EXPECT_NE(response.body.find("nothing listens on " + address), std::string::npos)
        << response.body;
    const auto line = daemon.access(0);
    EXPECT_EQ(line["reason"].text(), "upstream_refused");
    EXPECT_EQ(line["status"].text(), "502");
    EXPECT_TRUE(daemon.wait_for_log(address));
}

}  // namespace
}  // namespace proxyd::test
