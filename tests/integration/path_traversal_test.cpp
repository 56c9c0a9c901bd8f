// No spelling of a path walks around the location that guards it.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kGuarded = R"(
hosts:
  app.test:
    upstream: @UP1@
    locations:
      /: {}
      /admin: { return: 403 }
      /public/: { strip_prefix: true }
)";

TEST(PathTraversal, AlwaysBadPathsAre400) {
    FakeUpstream upstream;
    Daemon daemon(kGuarded, ups(upstream));
    const char* const paths[] = {
        "/a%00b",
        "/%00",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%-1",
        "/%u0041",
        "/..",
        "/../admin",
        "/a/../../admin",
        "/%2e%2e/admin",
        "/%2e%2e",
        "/./../x",
        "/x/..%2fadmin",
        "/x/%2e%2e%2fadmin",
        "/x/..%2Fadmin",
        "/x/..%5cadmin",
        "/x/..%5Cadmin",
        "/x/%2e%2e%5cadmin",
        "/..%2f",
        "/x%2f../admin",
        "/x%5c../admin",
        "/x%2f%2e%2e/admin",
    };
    for (const auto* path : paths) {
        SCOPED_TRACE(path);
        EXPECT_EQ(get_once(daemon.http(), path).status, 400);
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(PathTraversal, GuardedPathIsGuardedInEverySpelling) {
    FakeUpstream upstream;
    Daemon daemon(kGuarded, ups(upstream));
    const char* const paths[] = {
        "/admin",       "/admin/",         "/admin/x",
        "//admin",      "///admin",        "/./admin",
        "/x/../admin",  "/x/%2e%2e/admin", "/%61dmin",
        "/%61%64min/x", "/admin/../admin", "/public/../admin",
        "/.//admin",    "/x/.././admin",   "/x//../admin",
        "/admin/.",     "/admin/x/..",     "/admin%2Fx/../../admin",
    };
    for (const auto* path : paths) {
        SCOPED_TRACE(path);
        const auto status = get_once(daemon.http(), path).status;
        EXPECT_TRUE(status == 403 || status == 400) << status;
    }
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(PathTraversal, PathsThatAreNotTheGuardedOneArriveUnchanged) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon(kGuarded, ups(upstream));
    // Not read as /admin here, and the upstream sees exactly what was sent.
    for (const auto* path : {"/ADMIN", "/admin%2Fx", "/x/..\\admin", "/x\\admin", "/x/..;/admin",
                             "/%252e%252e/admin", "/adminx", "/...", "/a..b/", "/.hidden"}) {
        SCOPED_TRACE(path);
        const auto response = get_once(daemon.http(), path);
        if (response.status == 200) {
            EXPECT_EQ(response.body, path);
        } else {
            EXPECT_TRUE(response.status == 400 || response.status == 403) << response.status;
        }
    }
}

TEST(PathTraversal, StripPrefixNeverLeavesItsRoom) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon(kGuarded, ups(upstream));
    for (const auto* path : {"/public/..%2fadmin", "/public/%2e%2e%2fadmin", "/public/..%5cadmin",
                             "/public/../../admin"}) {
        SCOPED_TRACE(path);
        EXPECT_EQ(get_once(daemon.http(), path).status, 400);
    }
    EXPECT_EQ(get_once(daemon.http(), "/public/x/../y").body, "/y");
    EXPECT_EQ(get_once(daemon.http(), "/public../secret").body, "/public../secret");
    for (const auto& request : upstream.requests()) {
        EXPECT_EQ(request.target.find("/../"), std::string::npos) << request.target;
    }
}

TEST(PathTraversal, DoubleEncodingIsDecodedOnce) {
    FakeUpstream upstream([](const Request& request) { return text_reply(request.target); });
    Daemon daemon(kGuarded, ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/public/%252e%252e/x").body, "/%252e%252e/x");
    EXPECT_EQ(get_once(daemon.http(), "/%2561dmin").body, "/%2561dmin");
}

}  // namespace
}  // namespace proxyd::test
