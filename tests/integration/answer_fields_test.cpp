// Location, Refresh and Set-Cookie of upstreams, as clients get them.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

// Answers 302 with the fields that the request's X-Say-NAME fields ask for; "@PORT@" is its own.
class Redirecting {
  public:
    Redirecting()
        : upstream_([this](const Request& request) {
              Reply reply = text_reply("", 302);
              for (const char* name : {"Location", "Refresh", "Set-Cookie"}) {
                  for (std::string value : request.headers.all(std::string("X-Say-") + name)) {
                      const auto at = value.find("@PORT@");
                      if (at != std::string::npos) value.replace(at, 6, port());
                      reply.headers.add(name, value);
                  }
              }
              return reply;
          }) {}

    [[nodiscard]] std::string port() const { return std::to_string(upstream_.port()); }
    FakeUpstream upstream_;
};

std::string answered(Daemon& daemon, const std::string& path, const std::string& name,
                     const std::string& value, const std::string& more = "") {
    return get_once(daemon.http(), path, "X-Say-" + name + ": " + value + "\r\n" + more)
        .headers.value(name);
}

const char* const kConfig = R"(
upstreams: { backend: "127.0.0.1:@UP1@" }
hosts:
  "*":
    upstream: backend
    locations:
      /: {}
      /api/: { strip_prefix: true }
      /v1/: { replace_prefix: /v2/ }
      /set/: { request_headers: { set: { Host: internal.example } } }
      /raw/: { rewrite_location: off, strip_prefix: true }
      /rule/: { response_headers: { set: { Location: "$sent_http_location!" } } }
)";

TEST(AnswerFields, LocationThatNamesTheUpstream) {
    Redirecting upstream;
    Daemon daemon(kConfig, ups(upstream.upstream_));
    const auto said = [&](const std::string& path, const std::string& value) {
        return answered(daemon, path, "Location", value);
    };
    EXPECT_EQ(said("/a", "http://127.0.0.1:@PORT@/other?x=1"), "/other?x=1");
    EXPECT_EQ(said("/a", "http://localhost:@PORT@/other"), "/other");
    EXPECT_EQ(said("/a", "http://backend/other"), "/other");
    EXPECT_EQ(said("/a", "http://elsewhere.example/other"), "http://elsewhere.example/other");
    EXPECT_EQ(said("/a", "http://app.test/other"), "http://app.test/other");
    EXPECT_EQ(said("/a", "/other"), "/other");
    EXPECT_EQ(said("/a", "http://127.0.0.1:@PORT@//evil.example/"), "/evil.example/");
    EXPECT_EQ(said("/set/a", "http://internal.example/x"), "/x");
    EXPECT_EQ(said("/raw/a", "http://127.0.0.1:@PORT@/x"),
              "http://127.0.0.1:" + upstream.port() + "/x");
    EXPECT_EQ(said("/raw/a", "/x"), "/x");
    EXPECT_EQ(said("/rule/a", "http://backend/x"), "/x!");
}

TEST(AnswerFields, LocationBelowAChangedPrefix) {
    Redirecting upstream;
    Daemon daemon(kConfig, ups(upstream.upstream_));
    const auto said = [&](const std::string& path, const std::string& value) {
        return answered(daemon, path, "Location", value);
    };
    EXPECT_EQ(said("/api/a", "/login"), "/api/login");
    EXPECT_EQ(said("/api/a", "http://127.0.0.1:@PORT@/login"), "/api/login");
    EXPECT_EQ(said("/api/a", "http://app.test/login"), "http://app.test/api/login");
    EXPECT_EQ(said("/api/a", "login"), "login");
    EXPECT_EQ(said("/api/a", "/api/login"), "/api/login");
    EXPECT_EQ(said("/api/a", "http://elsewhere.example/login"), "http://elsewhere.example/login");
    EXPECT_EQ(said("/v1/a", "/v2/b"), "/v1/b");
    EXPECT_EQ(said("/v1/a", "/other"), "/other");
    EXPECT_EQ(said("/v1/a", "http://127.0.0.1:@PORT@/v2/"), "/v1/");
}

TEST(AnswerFields, Refresh) {
    Redirecting upstream;
    Daemon daemon(kConfig, ups(upstream.upstream_));
    EXPECT_EQ(answered(daemon, "/api/", "Refresh", "5; url=http://127.0.0.1:@PORT@/x"),
              "5; url=/api/x");
    EXPECT_EQ(answered(daemon, "/", "Refresh", "5"), "5");
}

TEST(AnswerFields, CookiesStayUnlessARuleSaysOtherwise) {
    Redirecting upstream;
    Daemon daemon(R"(
upstreams: { backend: "127.0.0.1:@UP1@" }
hosts:
  "*":
    upstream: backend
    cookie_domain: { backend.internal: $host }
    locations:
      /: {}
      /api/: { strip_prefix: true, cookie_path: { /: /api/ } }
      /bare/: { cookie_domain: { backend.internal: off } }
      /off/: { cookie_domain: off }
)",
                  ups(upstream.upstream_));
    const auto said = [&](const std::string& path, const std::string& value) {
        return answered(daemon, path, "Set-Cookie", value);
    };
    EXPECT_EQ(said("/", "a=b; Path=/x"), "a=b; Path=/x");
    EXPECT_EQ(said("/", "a=b; Domain=backend.internal"), "a=b; Domain=app.test");
    EXPECT_EQ(said("/api/", "a=b; Path=/x; Domain=backend.internal"),
              "a=b; Path=/api/x; Domain=app.test");
    EXPECT_EQ(said("/bare/", "a=b; Domain=backend.internal; Secure"), "a=b; Secure");
    EXPECT_EQ(said("/off/", "a=b; Domain=backend.internal"), "a=b; Domain=backend.internal");
    const auto several = get_once(daemon.http(), "/api/",
                                  "X-Say-Set-Cookie: a=1; Path=/\r\n"
                                  "X-Say-Set-Cookie: b=2\r\n");
    EXPECT_EQ(several.headers.all("Set-Cookie"),
              (std::vector<std::string>{"a=1; Path=/api/", "b=2"}));
}

}  // namespace
}  // namespace proxyd::test
