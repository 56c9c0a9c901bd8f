#include "proxyd/policy/redirect.hpp"

#include <gtest/gtest.h>

#include "unit/policy/fake_scope.hpp"

namespace proxyd::policy {
namespace {

using testing::FakeScope;

std::string target(std::string_view to, std::string uri, std::string request_uri = {}) {
    FakeScope scope;
    scope.set(vars::Var::uri, std::move(uri));
    scope.set(vars::Var::request_uri, std::move(request_uri));
    scope.set(vars::Var::host, "a.test");
    Arena arena;
    return std::string(redirect_target(testing::parse(to), scope, arena));
}

TEST(Redirect, StatusFollowsTheMethod) {
    EXPECT_EQ(permanent_redirect_status(http::Method::get), 301);
    EXPECT_EQ(permanent_redirect_status(http::Method::head), 301);
    EXPECT_EQ(permanent_redirect_status(http::Method::post), 308);
    config::Action action;
    action.status = 302;
    EXPECT_EQ(redirect_status(action, http::Method::post), 302);
    action.status_by_method = true;
    EXPECT_EQ(redirect_status(action, http::Method::post), 308);
}

TEST(Redirect, Expands) {
    EXPECT_EQ(target("https://new.test$request_uri", "", "/a?b=c"), "https://new.test/a?b=c");
    EXPECT_EQ(target("https://$host$request_uri", "", "/a%20b"), "https://a.test/a%20b");
    EXPECT_EQ(target("/moved#part", ""), "/moved#part");
    EXPECT_EQ(target("//cdn.test$uri", "/a"), "//cdn.test/a");
    EXPECT_EQ(target("", ""), "");
}

TEST(Redirect, NeverLeavesTheHostThatTheOperatorNamed) {
    EXPECT_EQ(target("$request_uri", "", "//evil.test/x"), "/evil.test/x");
    EXPECT_EQ(target("$request_uri", "", "///evil.test"), "/evil.test");
    EXPECT_EQ(target("$request_uri", "", "/\\evil.test"), "/%5Cevil.test");
    EXPECT_EQ(target("/$request_uri", "", "/evil.test"), "/evil.test");
    EXPECT_EQ(target("$uri", "/\\evil.test"), "/%5Cevil.test");
    EXPECT_EQ(target("$uri", "/\t/evil.test"), "/%09/evil.test");
    EXPECT_EQ(target("https://new.test$request_uri", "", "//evil.test"),
              "https://new.test//evil.test");
    EXPECT_EQ(target("https://new.test$request_uri", "", "*"), "https://new.test/*");
}

TEST(Redirect, NoByteOfTheRequestAddsALine) {
    EXPECT_EQ(target("$uri", "/a\r\nSet-Cookie: x"), "/a%0D%0ASet-Cookie:%20x");
    EXPECT_EQ(target("https://n.test$request_uri", "", "/a\r\n\tb\x7f\xff"),
              "https://n.test/a%0D%0A%09b%7F%FF");
    EXPECT_EQ(target("$uri", "/50%?#"), "/50%25%3F%23");
    EXPECT_EQ(target("$request_uri", "", "/%0d%0aX"), "/%0d%0aX");
}

TEST(HttpsTarget, KeepsTheHostAndTheTarget) {
    Arena arena;
    EXPECT_EQ(https_target("App.test", 443, "/a%20b?c=d", arena), "https://App.test/a%20b?c=d");
    EXPECT_EQ(https_target("app.test:8080", 443, "/", arena), "https://app.test/");
    EXPECT_EQ(https_target("app.test:80", 8443, "/", arena), "https://app.test:8443/");
    EXPECT_EQ(https_target("[::1]:80", 8443, "/", arena), "https://[::1]:8443/");
    EXPECT_EQ(https_target("app.test", 443, "//evil.test", arena), "https://app.test//evil.test");
    EXPECT_EQ(https_target("app.test", 443, "*", arena), "https://app.test/");
}

}  // namespace
}  // namespace proxyd::policy
