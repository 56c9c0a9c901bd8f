// The path that the upstream sees: raw by default, normalised on demand, stripped, replaced or
// rewritten.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* sent;
    const char* seen;  // by the upstream; nullptr = 400
};

void expect_targets(const std::string& locations, const std::vector<Row>& rows) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon("hosts:\n  app.test:\n    upstream: @UP1@\n    locations:\n" + locations,
                  ups(upstream));
    for (const auto& row : rows) {
        SCOPED_TRACE(row.sent);
        const auto response = get_once(daemon.http(), row.sent);
        if (row.seen == nullptr) {
            EXPECT_EQ(response.status, 400);
        } else {
            EXPECT_EQ(response.status, 200);
            EXPECT_EQ(response.body, row.seen);
        }
    }
}

TEST(PathForwarding, RawIsTheClientsOwnSpelling) {
    expect_targets("      /: {}\n", {{"/a/b", "/a/b"},
                                     {"/a%2Fb", "/a%2Fb"},
                                     {"/a//b", "/a//b"},
                                     {"/a/../b", "/a/../b"},
                                     {"/%61", "/%61"},
                                     {"/a;b=c", "/a;b=c"},
                                     {"/a?x=/../y", "/a?x=/../y"},
                                     {"/?", "/?"},
                                     {"/a%20b|c^{}\"", "/a%20b|c^{}\""},
                                     {"/[x]?y=[1]", "/[x]?y=[1]"}});
}

TEST(PathForwarding, NormalizedIsWhatWasMatched) {
    expect_targets("      /: { path: normalized }\n", {{"/a/b", "/a/b"},
                                                       {"/a/../b", "/b"},
                                                       {"/a/./b", "/a/b"},
                                                       {"/a//b", "/a/b"},
                                                       {"/%61/b", "/a/b"},
                                                       {"/a/%2e%2e/b?q=1", "/b?q=1"},
                                                       {"/a%20b", "/a%20b"},
                                                       {"/a%2Fb", "/a%2Fb"}});
}

TEST(PathForwarding, StrictRefusesWhatCouldBeReadDifferently) {
    expect_targets("      /: { path: strict }\n", {{"/a/b", "/a/b"},
                                                   {"/a%20b", "/a%20b"},
                                                   {"/a;x=1/b", "/a;x=1/b"},
                                                   {"/a%2Fb", nullptr},
                                                   {"/a%2fb", nullptr},
                                                   {"/a%5Cb", nullptr},
                                                   {"/a/%2e%2e/b", nullptr},
                                                   {"/a/%2e/b", nullptr},
                                                   {"/a/..;/b", nullptr},
                                                   {"/a/..;x=1/b", nullptr}});
}

TEST(PathForwarding, StripPrefixTakesWholeElements) {
    expect_targets("      /api/: { strip_prefix: true }\n      /v: { strip_prefix: true }\n",
                   {{"/api/users", "/users"},
                    {"/api/users?q=%2F", "/users?q=%2F"},
                    {"/api/", "/"},
                    {"/api/?q", "/?q"},
                    {"/api//users", "/users"},
                    {"/api/../api/x", "/x"},
                    {"/%61pi/x", "/x"},
                    {"/api/a%2Fb", "/a%2Fb"},
                    {"/api/a%2Fb/c%20d", "/a%2Fb/c%20d"},
                    {"/api/%3Fx%23y", "/%3Fx%23y"},
                    {"/v/x", "/x"},
                    {"/v", "/"}});
}

TEST(PathForwarding, ReplacePrefixJoinsWithOneSlash) {
    expect_targets(
        "      /v1/: { replace_prefix: /v2/ }\n"
        "      /a/: { replace_prefix: /b }\n"
        "      /c: { replace_prefix: /d/ }\n",
        {{"/v1/x", "/v2/x"},
         {"/v1/", "/v2/"},
         {"/v1/x/y?z", "/v2/x/y?z"},
         {"/v1/a%2Fb", "/v2/a%2Fb"},
         {"/a/x", "/b/x"},
         {"/c/x", "/d/x"}});
}

TEST(PathForwarding, RewriteUsesCapturesOfTheNormalisedPath) {
    expect_targets(
        "      '~* \\.(png|jpg)$': "
        "{ rewrite: { match: '^/i/(.*)$', to: '/images/$1' } }\n"
        "      /u/: { rewrite: { match: '^/u/([0-9]+)/([a-z]+)$', to: '/$2/$1' } }\n",
        {{"/i/a/b.png", "/images/a/b.png"},
         {"/i/a.png?x=1", "/images/a.png?x=1"},
         {"/other.png", "/other.png"},
         {"/u/42/edit", "/edit/42"},
         {"/u/4%32/edit", "/edit/42"},
         {"/u/x", "/u/x"},
         {"/i/a%20b.png", "/images/a%20b.png"}});
}

TEST(PathForwarding, CapturesNeverBreakTheRequestLine) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon(R"(
hosts:
  app.test:
    upstream: @UP1@
    locations:
      /s/: { strip_prefix: true }
      /r/: { rewrite: { match: '^/r/(.*)$', to: '/out/$1' } }
)",
                  ups(upstream));
    for (const std::string path :
         {"/s/x%0d%0aX-Evil:%201", "/r/x%0d%0aX-Evil:%201", "/s/a%20HTTP/1.1%0d%0a", "/r/a%3fb%23c",
          "/s/%ff%fe", "/r/%C3%A4"}) {
        SCOPED_TRACE(path);
        const auto response = get_once(daemon.http(), path);
        EXPECT_TRUE(response.status == 200 || response.status == 400) << response.status;
    }
    for (const auto& request : upstream.requests()) {
        EXPECT_FALSE(request.headers.has("X-Evil"));
        EXPECT_EQ(request.target.find_first_of(" \r\n#"), std::string::npos) << request.target;
        EXPECT_EQ(request.target.find('?'), std::string::npos) << request.target;
    }
    EXPECT_EQ(upstream.garbage(), "");
}

}  // namespace
}  // namespace proxyd::test
