// The actions that need no upstream: return and redirect, and the methods rule.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
hosts:
  app.test:
    locations:
      = /health: { return: { status: 200, body: "ok\n", type: text/plain } }
      /gone/: { return: 410 }
      /empty: { return: 204 }
      /teapot: { return: { status: 418, body: "short and stout" } }
      /vars: { return: { status: 200, body: "$request_method $uri $args $host" } }
      /old/: { redirect: "https://new.example.com$request_uri" }
      /kept/: { redirect: { to: "https://new.example.com$request_uri", status: 308 } }
      /found: { redirect: { to: /elsewhere, status: 302 } }
      /uri/: { redirect: "$uri" }
      /read: { methods: [GET, HEAD], return: { status: 200, body: read } }
      /post: { methods: [POST], return: 200 }
)";

class LocalActions : public ::testing::Test {
  protected:
    Daemon daemon{kConfig};

    Response ask(const std::string& method, const std::string& target) {
        RawClient client(daemon.http());
        client.send(method + " " + target + " HTTP/1.1\r\nHost: app.test\r\n\r\n");
        return client.read_response(method);
    }
};

TEST_F(LocalActions, ReturnGivesStatusBodyAndType) {
    const auto response = ask("GET", "/health");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok\n");
    EXPECT_EQ(response.headers.value("Content-Type").substr(0, 10), "text/plain");
    EXPECT_EQ(response.headers.value("Content-Length"), "3");
    EXPECT_TRUE(response.headers.has("Date"));
    EXPECT_EQ(ask("GET", "/gone/x").status, 410);
    EXPECT_EQ(ask("GET", "/teapot").body, "short and stout");
    const auto empty = ask("GET", "/empty");
    EXPECT_EQ(empty.status, 204);
    EXPECT_FALSE(empty.headers.has("Content-Length"));
}

TEST_F(LocalActions, HeadOfAReturnHasNoBody) {
    RawClient client(daemon.http());
    const auto head = client.exchange("HEAD /health HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.value("Content-Length"), "3");
    EXPECT_EQ(client.get("/health").body, "ok\n");
}

TEST_F(LocalActions, ReturnBodiesTakeVariables) {
    EXPECT_EQ(ask("GET", "/vars?a=1&b").body, "GET /vars a=1&b app.test");
}

TEST_F(LocalActions, RedirectIs301AndKeepsTheRequestUri) {
    const auto response = ask("GET", "/old/a%20b?q=1");
    EXPECT_EQ(response.status, 301);
    EXPECT_EQ(response.headers.value("Location"), "https://new.example.com/old/a%20b?q=1");
    EXPECT_EQ(ask("GET", "/kept/x").status, 308);
    EXPECT_EQ(ask("POST", "/kept/x").status, 308);
    const auto found = ask("GET", "/found");
    EXPECT_EQ(found.status, 302);
    EXPECT_EQ(found.headers.value("Location"), "/elsewhere");
}

TEST_F(LocalActions, RedirectsCannotBeBentOrSplit) {
    for (const std::string target :
         {"//evil.test/old/../uri/x", "/uri//evil.test", "/uri/%0d%0aX-Evil:1",
          "/uri/%0aSet-Cookie:a=b", "/old/%0d%0aX-Evil:1", "/old//evil.test",
          "/uri/..%2f/evil.test", "/uri/\\evil.test"}) {
        SCOPED_TRACE(target);
        const auto response = ask("GET", target);
        EXPECT_FALSE(response.headers.has("X-Evil"));
        EXPECT_FALSE(response.headers.has("Set-Cookie"));
        EXPECT_LE(response.headers.count("Location"), 1U);
        const auto location = response.headers.value("Location");
        EXPECT_FALSE(location.starts_with("//") || location.starts_with("/\\")) << location;
    }
}

TEST_F(LocalActions, OtherMethodsAre405WithAllow) {
    EXPECT_EQ(ask("GET", "/read").status, 200);
    EXPECT_EQ(ask("HEAD", "/read").status, 200);
    for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
        SCOPED_TRACE(method);
        const auto response = ask(method, "/read");
        EXPECT_EQ(response.status, 405);
        const auto allow = response.headers.value("Allow");
        EXPECT_NE(allow.find("GET"), std::string::npos) << allow;
        EXPECT_NE(allow.find("HEAD"), std::string::npos) << allow;
        EXPECT_EQ(allow.find("POST"), std::string::npos) << allow;
    }
    EXPECT_EQ(ask("GET", "/post").headers.value("Allow"), "POST");
}

}  // namespace
}  // namespace proxyd::test
