// Which host a request reaches: exact, wildcard, regex, "*", and nothing by accident.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kHosts = R"(
hosts:
  app.test: { return: { status: 200, body: exact } }
  named.test:
    names: [www.named.test, "*.apps.test", '~^v\d+\.regex\.test$']
    return: { status: 200, body: named }
  "*.wild.test": { return: { status: 200, body: wild } }
  "*.deep.wild.test": { return: { status: 200, body: deeper } }
  one.wild.test: { return: { status: 200, body: one } }
  '~^.*\.test$': { return: { status: 200, body: regex } }
)";

struct Row {
    const char* host;
    const char* body;
};

TEST(HostNames, AreChosenInTheirOrder) {
    Daemon daemon(kHosts);
    const Row rows[] = {
        {"app.test", "exact"},    {"APP.Test", "exact"},          {"app.test:8080", "exact"},
        {"app.test.", "exact"},   {"named.test", "named"},        {"www.named.test", "named"},
        {"a.apps.test", "named"}, {"a.b.apps.test", "named"},     {"v42.regex.test", "named"},
        {"x.wild.test", "wild"},  {"x.deep.wild.test", "deeper"}, {"one.wild.test", "one"},
        {"wild.test", "regex"},   {"vx.regex.test", "regex"},     {"apps.test", "regex"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.host);
        const auto response = get_once(daemon.http(), "/", "", row.host);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, row.body);
    }
}

TEST(HostNames, UnknownOneIs404AndSaysSo) {
    Daemon daemon("hosts: { app.test: { return: 200 } }\n");
    for (const auto* host :
         {"other.test", "127.0.0.1", "localhost", "xapp.test", "app.test.evil", "[::1]:80"}) {
        SCOPED_TRACE(host);
        EXPECT_EQ(get_once(daemon.http(), "/", "", host).status, 404);
    }
    EXPECT_EQ(daemon.access(0)["reason"].text(), "no_host");
}

TEST(HostNames, StarTakesWhatNothingElseNames) {
    Daemon daemon(R"(
hosts:
  app.test: { return: { status: 200, body: app } }
  "*": { return: { status: 200, body: star } }
)");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "app.test").body, "app");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "other.test").body, "star");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "127.0.0.1:80").body, "star");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "[::1]").body, "star");
}

TEST(HostNames, AbsoluteFormDecides) {
    Daemon daemon(kHosts);
    RawClient client(daemon.http());
    const auto response =
        client.exchange("GET http://one.wild.test/x HTTP/1.1\r\nHost: one.wild.test\r\n\r\n");
    EXPECT_EQ(response.body, "one");
}

TEST(HostNames, ListenBindsAHostToItsListeners) {
    Daemon daemon(R"(
listeners:
  http: "127.0.0.1:@HTTP@"
  inner: "127.0.0.1:@HTTP2@"
hosts:
  both.test: { return: 200 }
  inner.test: { listen: [inner], return: 200 }
)");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "both.test").status, 200);
    EXPECT_EQ(get_once(daemon.port("HTTP2"), "/", "", "both.test").status, 200);
    EXPECT_EQ(get_once(daemon.port("HTTP2"), "/", "", "inner.test").status, 200);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "inner.test").status, 404);
}

}  // namespace
}  // namespace proxyd::test
