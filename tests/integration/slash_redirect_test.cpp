// A prefix with a slash at its end redirects the path without it.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
hosts:
  app.test:
    locations:
      /api/: { upstream: @UP1@ }
      /off/: { upstream: @UP1@ }
      = /off: { return: { status: 200, body: exact } }
      /own/: { return: { status: 200, body: own } }
)";

class SlashRedirect : public ::testing::Test {
  protected:
    FakeUpstream upstream;
    Daemon daemon{kConfig, ups(upstream)};

    Response ask(const std::string& method, const std::string& target) {
        RawClient client(daemon.http());
        client.send(method + " " + target + " HTTP/1.1\r\nHost: app.test\r\n\r\n");
        return client.read_response(method);
    }
};

TEST_F(SlashRedirect, IsRelativeAndKeepsTheQuery) {
    const auto response = ask("GET", "/api?q=1&r=%2F");
    EXPECT_EQ(response.status, 301);
    EXPECT_EQ(response.headers.value("Location"), "/api/?q=1&r=%2F");
    EXPECT_EQ(ask("GET", "/api").headers.value("Location"), "/api/");
    EXPECT_EQ(upstream.connections(), 0);
}

TEST_F(SlashRedirect, Is301ForGetAndHeadAnd308Otherwise) {
    EXPECT_EQ(ask("HEAD", "/api").status, 301);
    for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        SCOPED_TRACE(method);
        EXPECT_EQ(ask(method, "/api").status, 308);
    }
}

TEST_F(SlashRedirect, AnExactMatcherTurnsItOff) {
    EXPECT_EQ(ask("GET", "/off").body, "exact");
}

TEST_F(SlashRedirect, OnlyAnUpstreamHasIt) {
    EXPECT_EQ(ask("GET", "/own").status, 404);
}

TEST_F(SlashRedirect, OtherSpellingsStayOnThisHost) {
    for (const std::string target : {"//api", "/./api", "/%61pi", "/x/../api"}) {
        SCOPED_TRACE(target);
        const auto response = ask("GET", target);
        EXPECT_EQ(response.status, 301);
        const auto location = response.headers.value("Location");
        EXPECT_TRUE(location.starts_with('/') && !location.starts_with("//") &&
                    !location.starts_with("/\\"))
            << location;
    }
}

}  // namespace
}  // namespace proxyd::test
