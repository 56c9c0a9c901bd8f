// request_headers, response_headers and security_headers: on every status, merged by name.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(RequestHeaders, AreSetAddedAndRemoved) {
    FakeUpstream upstream;
    Daemon daemon(R"(
hosts:
  app.test:
    upstream: @UP1@
    request_headers:
      set: { X-Tenant: blue, X-Method: $request_method, X-Path: "$uri" }
      add: { X-More: second }
      remove: [Cookie, X-Gone]
)",
                  ups(upstream));
    get_once(daemon.http(), "/p?q=1",
             "x-tenant: red\r\nX-Tenant: green\r\nX-More: first\r\nCookie: a=b\r\nx-gone: 1\r\n");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.all("X-Tenant"), std::vector<std::string>{"blue"});
    EXPECT_EQ(request.headers.value("X-Method"), "GET");
    EXPECT_EQ(request.headers.value("X-Path"), "/p");
    EXPECT_EQ(request.headers.all("X-More"), (std::vector<std::string>{"first", "second"}));
    EXPECT_FALSE(request.headers.has("Cookie"));
    EXPECT_FALSE(request.headers.has("X-Gone"));
}

TEST(RequestHeaders, LevelsMergeByName) {
    FakeUpstream upstream;
    Daemon daemon(R"(
defaults:
  request_headers: { set: { X-One: defaults, X-Two: defaults, X-Three: defaults } }
hosts:
  app.test:
    upstream: @UP1@
    request_headers: { set: { X-Two: host, X-Three: host } }
    locations:
      /: { request_headers: { set: { X-Three: location } } }
)",
                  ups(upstream));
    get_once(daemon.http(), "/");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("X-One"), "defaults");
    EXPECT_EQ(request.headers.value("X-Two"), "host");
    EXPECT_EQ(request.headers.value("X-Three"), "location");
}

constexpr auto kResponse = R"(
defaults:
  response_headers: { add: { X-Level: defaults } }
hosts:
  app.test:
    upstream: @UP1@
    response_headers: { set: { X-Set: ours }, add: { X-Added: "$host" }, remove: [X-Powered-By] }
    locations:
      /: {}
      /local: { return: 403 }
      /dead: { upstream: @DEAD@ }
      /deeper: { response_headers: { set: { X-Set: deeper } } }
)";

TEST(ResponseHeaders, ActOnEveryStatus) {
    FakeUpstream upstream([](const Request& request) {
        auto reply = text_reply("x", request.target == "/500" ? 500 : 200);
        reply.headers = {{"X-Powered-By", "app"},
                         {"x-set", "theirs"},
                         {"X-Set", "again"},
                         {"X-Added", "theirs"}};
        return reply;
    });
    Daemon daemon(kResponse, ups(upstream));
    const std::pair<const char*, int> rows[] = {
        {"/200", 200}, {"/500", 500}, {"/local", 403}, {"/dead", 502}};
    for (const auto& [path, status] : rows) {
        SCOPED_TRACE(path);
        const auto response = get_once(daemon.http(), path);
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.headers.all("X-Set"), std::vector<std::string>{"ours"});
        EXPECT_FALSE(response.headers.has("X-Powered-By"));
        EXPECT_EQ(response.headers.value("X-Level"), "defaults");
        ASSERT_TRUE(response.headers.has("X-Added"));
        EXPECT_EQ(response.headers.all("X-Added").back(), "app.test");
    }
    EXPECT_EQ(get_once(daemon.http(), "/200").headers.all("X-Added"),
              (std::vector<std::string>{"theirs", "app.test"}));
    EXPECT_EQ(get_once(daemon.http(), "/deeper").headers.value("X-Set"), "deeper");
}

TEST(ResponseHeaders, ValuesFromTheClientCannotSplitTheAnswer) {
    FakeUpstream upstream;
    Daemon daemon(R"(
hosts:
  app.test:
    upstream: @UP1@
    response_headers: { set: { X-Uri: "$uri", X-Arg: "$arg_a", X-Agent: "$http_user_agent" } }
)",
                  ups(upstream));
    const auto response =
        get_once(daemon.http(), "/x%0d%0aX-Evil:%201?a=%0d%0aX-Evil:1", "User-Agent: plain\r\n");
    EXPECT_FALSE(response.headers.has("X-Evil"));
    EXPECT_EQ(response.headers.value("X-Agent"), "plain");
}

class SecurityHeaders : public ::testing::Test {
  protected:
    FakeUpstream upstream{[](const Request& request) {
        auto reply = text_reply("x");
        if (request.target == "/own") {
            reply.headers = {{"X-Frame-Options", "SAMEORIGIN"}, {"X-Content-Type-Options", "own"}};
        }
        return reply;
    }};
    Daemon daemon{R"(
defaults:
  security_headers: true
hosts:
  app.test:
    upstream: @UP1@
    locations:
      /: {}
      /local: { return: 403 }
      /without: { security_headers: false }
)",
                  ups(upstream)};
};

TEST_F(SecurityHeaders, AreOnEveryStatus) {
    for (const auto* path : {"/", "/local"}) {
        SCOPED_TRACE(path);
        const auto response = get_once(daemon.http(), path);
        EXPECT_EQ(response.headers.all("X-Content-Type-Options"),
                  std::vector<std::string>{"nosniff"});
        EXPECT_EQ(response.headers.all("X-Frame-Options"), std::vector<std::string>{"DENY"});
    }
}

TEST_F(SecurityHeaders, HstsIsOnlyForTls) {
    EXPECT_FALSE(get_once(daemon.http(), "/").headers.has("Strict-Transport-Security"));
}

TEST_F(SecurityHeaders, OnlyWhereTheUpstreamSentNone) {
    const auto response = get_once(daemon.http(), "/own");
    EXPECT_EQ(response.headers.all("X-Frame-Options"), std::vector<std::string>{"SAMEORIGIN"});
    EXPECT_EQ(response.headers.all("X-Content-Type-Options"), std::vector<std::string>{"own"});
}

TEST_F(SecurityHeaders, ALocationCanSwitchThemOff) {
    EXPECT_FALSE(get_once(daemon.http(), "/without").headers.has("X-Frame-Options"));
}

}  // namespace
}  // namespace proxyd::test
