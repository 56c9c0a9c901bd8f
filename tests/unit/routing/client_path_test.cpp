// client_path(): the way back of strip_prefix and replace_prefix.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace proxyd::routing {
namespace {

using testing::host;
using testing::location;
using testing::table;

std::string back(const char* matcher, const char* replacement, const char* path) {
    config::Location rule = location(matcher);
    rule.path_rule.kind =
        replacement == nullptr ? config::PathRule::Kind::strip : config::PathRule::Kind::replace;
    if (replacement != nullptr) rule.path_rule.replacement = replacement;
    const auto routes = table({host({"a"}, {rule})});
    Arena arena;
    return std::string(client_path(routes->locations()[0], path, arena));
}

TEST(ClientPath, StripPrefix) {
    EXPECT_EQ(back("/api/", nullptr, "/users"), "/api/users");
    EXPECT_EQ(back("/api", nullptr, "/users"), "/api/users");
    EXPECT_EQ(back("/api*", nullptr, "/users"), "/api/users");
    EXPECT_EQ(back("^~ /api/", nullptr, "/"), "/api/");
    EXPECT_EQ(back("/a b/", nullptr, "/x"), "/a%20b/x");
    EXPECT_EQ(back("/", nullptr, "/x"), "/x");
    EXPECT_EQ(back("= /login", nullptr, "/"), "/login");
    EXPECT_EQ(back("= /login", nullptr, "/x"), "/x");
}

TEST(ClientPath, AnApplicationThatKnowsItsPrefixIsLeftAlone) {
    EXPECT_EQ(back("/api/", nullptr, "/api/users"), "/api/users");
    EXPECT_EQ(back("/api/", nullptr, "/api"), "/api");
    EXPECT_EQ(back("/api/", nullptr, "/apis"), "/api/apis");
}

TEST(ClientPath, ReplacePrefix) {
    EXPECT_EQ(back("/v1/", "/v2/", "/v2/x"), "/v1/x");
    EXPECT_EQ(back("/v1/", "/v2", "/v2/x"), "/v1/x");
    EXPECT_EQ(back("/v1/", "/v2/", "/v2"), "/v1/");
    EXPECT_EQ(back("/v1/", "/v2/", "/v2/"), "/v1/");
    EXPECT_EQ(back("/v1/", "/v2/", "/v20/x"), "/v20/x");
    EXPECT_EQ(back("/v1/", "/v2/", "/other"), "/other");
    EXPECT_EQ(back("/", "/app/", "/app/x"), "/x");
    EXPECT_EQ(back("/", "/app/", "/app"), "/");
    EXPECT_EQ(back("/app/", "/app/v2/", "/app/v2/x"), "/app/x");
    EXPECT_EQ(back("/a/", "/b c/", "/b%20c/x"), "/a/x");
    EXPECT_EQ(back("= /login", "/auth", "/auth"), "/login");
}

TEST(ClientPath, WithoutARuleThePathStays) {
    const auto routes = table({host({"a"}, {location("/api/")})});
    Arena arena;
    EXPECT_EQ(client_path(routes->locations()[0], "/x", arena), "/x");
}

}  // namespace
}  // namespace proxyd::routing
