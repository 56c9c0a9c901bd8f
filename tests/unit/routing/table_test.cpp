#include "proxyd/routing/table.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/routing/fixture.hpp"

namespace proxyd::routing {
namespace {

using testing::FakeScope;
using testing::host;
using testing::location;
using testing::request;
using testing::table;

std::string reason(const Table& routes, const http::RequestHead& head) {
    Scratch scratch;
    const auto match = routes.route(head, "http", scratch);
    return match ? "found " + match->location->config->matcher.source
                 : std::string(word(match.error().code));
}

TEST(Route, NamesTheReason) {
    const auto routes = table({host({"a"}, {location("/api/")}), host({"b"})});
    EXPECT_EQ(reason(*routes, request("/api/x?y=1")), "found /api/");
    EXPECT_EQ(reason(*routes, request("/x")), "no_location");
    EXPECT_EQ(reason(*routes, request("/x?/api/")), "no_location");
    EXPECT_EQ(reason(*routes, request("/", "c")), "no_host");
    EXPECT_EQ(reason(*routes, request("/", "")), "no_host");
    EXPECT_EQ(reason(*routes, request("/../x")), "bad_path");
    EXPECT_EQ(reason(*routes, request("x")), "bad_path");
    EXPECT_EQ(reason(*routes, request("")), "bad_path");
    EXPECT_EQ(reason(*routes, request("/", std::string(300, 'a'))), "bad_host");
    auto http2 = request("/", "c");
    http2.version = http::Version::http2;
    EXPECT_EQ(reason(*routes, http2), "misdirected");
}

TEST(Route, KeepsTheHostWhenNoLocationMatches) {
    const auto routes = table({host({"a"}, {location("/api/")})});
    Scratch scratch;
    EXPECT_FALSE(routes->route(request("/x"), "http", scratch).ok());
    ASSERT_NE(scratch.host, nullptr);
    EXPECT_EQ(scratch.host->config->name, "a");
}

TEST(Route, IndicesAreDense) {
    const auto routes = table({host({"a"}, {location("/"), location("/x")}),
                               host({"b"}, {location("/"), location("/y")})});
    ASSERT_EQ(routes->locations().size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(routes->locations()[i].index, i);
    Scratch scratch;
    const auto match = routes->route(request("/y/1", "b"), "http", scratch);
    EXPECT_EQ(match->location->index, 3u);
    EXPECT_EQ(match->location->host, match->host);
    EXPECT_EQ(match->host->index, 1u);
}

TEST(Route, TheTraversalCorpusMeetsTheGuardOrIsRefused) {
    const auto routes = table({host({"a"}, {location("/admin"), location("/")})});
    const struct {
        const char *target, *expected;
    } rows[] = {
        {"/x/..%2fadmin", "bad_path"},    {"/%2e%2e/admin", "bad_path"},
        {"//admin", "found /admin"},      {"/./admin", "found /admin"},
        {"/admin%2f", "found /admin"},    {"/ADMIN", "found /"},
        {"/x/..;/admin", "found /"},      {"/%61dmin", "found /admin"},
        {"/x/../admin", "found /admin"},  {"/x/%2e%2e/admin", "found /admin"},
        {"/x\\..\\admin", "bad_path"},    {"/..%5cadmin", "bad_path"},
        {"/admin%00", "bad_path"},        {"/%252e%252e/admin", "found /"},
        {"/%2fadmin", "found /admin"},    {"/admin%2f..%2f..", "bad_path"},
        {"///admin///x", "found /admin"}, {"/admin/%", "bad_path"},
    };
    for (const auto& row : rows)
        EXPECT_EQ(reason(*routes, request(row.target)), row.expected) << row.target;
}

TEST(Route, StrictRefusesWhatReadsInTwoWays) {
    auto strict = location("/");
    auto policy = std::make_shared<config::Policy>();
    policy->path = config::Policy::Path::strict;
    strict.policy = policy;
    const auto routes = table({host({"a"}, {strict})});
    for (const char* target : {"/a%2fb", "/a%5cb", "/a\\b", "/x/..;/b", "/%2ex", "/a%2eb"}) {
        EXPECT_EQ(reason(*routes, request(target)), "bad_path") << target;
    }
    for (const char* target : {"/a", "//a", "/a/../b", "/a%20b", "/a;b"}) {
        EXPECT_EQ(reason(*routes, request(target)), "found /") << target;
    }
}

TEST(Route, AsteriskBelongsToOptions) {
    const auto routes = table({host({"a"})});
    EXPECT_EQ(reason(*routes, request("*")), "bad_path");
    auto options = request("*");
    options.method = http::Method::options;
    EXPECT_EQ(reason(*routes, options), "found /");
    Scratch scratch;
    Arena arena;
    const auto match = routes->route(options, "http", scratch);
    EXPECT_EQ(*forward_target(*match, options, FakeScope{}, arena), "*");
}

std::string forwarded(config::Location rule, std::string_view target, const FakeScope& scope = {}) {
    const auto routes = table({host({"a"}, {std::move(rule), location("/")})});
    const auto head = request(target);
    Scratch scratch;
    Arena arena;
    const auto match = routes->route(head, "http", scratch);
    if (!match) return std::string(word(match.error().code));
    if (match->slash_redirect)
        return "redirect " + std::string(slash_redirect_target(*match, arena));
    const auto result = forward_target(*match, head, scope, arena);
    return result ? std::string(*result) : std::string(word(result.error().code));
}

config::Location with_path(config::Policy::Path path) {
    auto result = location("/p/");
    auto policy = std::make_shared<config::Policy>();
    policy->path = path;
    result.policy = policy;
    return result;
}

TEST(ForwardTarget, RawKeepsTheSpellingAndNormalizedSendsWhatMatched) {
    const struct {
        const char *target, *normalized;
    } rows[] = {
        {"/p/a?b=%2F", "/p/a?b=%2F"},
        {"//p//a/./b/../c?x", "/p/a/c?x"},
        {"/p/%61%2fb%20c", "/p/a%2Fb%20c"},
        {"/%70/a?", "/p/a?"},
        {"/p/a\\b", "/p/a%5Cb"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(forwarded(with_path(config::Policy::Path::raw), row.target), row.target);
        EXPECT_EQ(forwarded(with_path(config::Policy::Path::normalized), row.target),
                  row.normalized);
    }
}

TEST(ForwardTarget, APlainTargetIsNotCopied) {
    const auto routes = table({host({"a"}, {with_path(config::Policy::Path::normalized)})});
    const auto head = request("/p/x?y");
    Scratch scratch;
    Arena arena;
    const auto match = routes->route(head, "http", scratch);
    EXPECT_EQ(forward_target(*match, head, FakeScope{}, arena)->data(), head.target.data());
}

TEST(SlashRedirect, IsRelativeAndKeepsTheQuery) {
    EXPECT_EQ(forwarded(location("/api/"), "/api"), "redirect /api/");
    EXPECT_EQ(forwarded(location("/api/"), "/api?q=1"), "redirect /api/?q=1");
    EXPECT_EQ(forwarded(location("/api/"), "//api?q=//x"), "redirect /api/?q=//x");
    EXPECT_EQ(forwarded(location("/a b/"), "/a%20b"), "redirect /a%20b/");
}

std::string stripped(std::string_view source, std::string_view target) {
    auto rule = location(source);
    rule.path_rule.kind = config::PathRule::Kind::strip;
    return forwarded(std::move(rule), target);
}

std::string replaced(std::string_view source, std::string by, std::string_view target) {
    auto rule = location(source);
    rule.path_rule.kind = config::PathRule::Kind::replace;
    rule.path_rule.replacement = std::move(by);
    return forwarded(std::move(rule), target);
}

TEST(StripPrefix, JoinsWithExactlyOneSlash) {
    EXPECT_EQ(stripped("/api/", "/api/users?x=1"), "/users?x=1");
    EXPECT_EQ(stripped("/api/", "/api/"), "/");
    EXPECT_EQ(stripped("/api/", "/api//users"), "/users");
    EXPECT_EQ(stripped("/api", "/api"), "/");
    EXPECT_EQ(stripped("/api", "/api?x"), "/?x");
    EXPECT_EQ(stripped("/api", "/api/users/"), "/users/");
    EXPECT_EQ(stripped("/api", "/apix"), "/apix");
    EXPECT_EQ(stripped("/api*", "/apix/y"), "/x/y");
    EXPECT_EQ(stripped("= /api", "/api"), "/");
    EXPECT_EQ(stripped("/api/", "/%61pi/a%2Fb/c%20d"), "/a%2Fb/c%20d");
    EXPECT_EQ(stripped("/api/", "/api%2Fusers"), "/users");
    EXPECT_EQ(stripped("/a b/", "/a%20b/c"), "/c");
    EXPECT_EQ(stripped("/api/", "/x/../api/./y"), "/y");
    EXPECT_EQ(stripped("/", "/a/b"), "/a/b");
}

TEST(StripPrefix, NeverLetsDotSegmentsOut) {
    EXPECT_EQ(stripped("/static*", "/static../secret"), "bad_path");
    EXPECT_EQ(stripped("/static*", "/static%2e./secret"), "bad_path");
    EXPECT_EQ(stripped("/static", "/static../secret"), "/static../secret");
}

TEST(ReplacePrefix, JoinsWithExactlyOneSlash) {
    EXPECT_EQ(replaced("/v1/", "/v2/", "/v1/x?q"), "/v2/x?q");
    EXPECT_EQ(replaced("/v1/", "/v2", "/v1/x"), "/v2/x");
    EXPECT_EQ(replaced("/v1/", "/v2", "/v1/"), "/v2/");
    EXPECT_EQ(replaced("/v1", "/v2/", "/v1/x"), "/v2/x");
    EXPECT_EQ(replaced("/v1", "/v2", "/v1"), "/v2");
    EXPECT_EQ(replaced("/v1", "/v2/", "/v1"), "/v2/");
    EXPECT_EQ(replaced("/v1*", "/v2", "/v1x"), "/v2/x");
    EXPECT_EQ(replaced("/v1", "/a b%20c?", "/v1/x"), "/a%20b%20c%3F/x");
    EXPECT_EQ(replaced("/v1/", "/", "/v1/x"), "/x");
}

std::string rewritten(std::string match, std::string_view to, std::string_view target,
                      const FakeScope& scope = {}) {
    auto rule = location("/i/");
    rule.path_rule.kind = config::PathRule::Kind::rewrite;
    rule.path_rule.match = std::move(match);
    rule.path_rule.to = *vars::Template::parse(to, {}, true);
    return forwarded(std::move(rule), target, scope);
}

TEST(Rewrite, PutsCapturesIntoTheNewPath) {
    EXPECT_EQ(rewritten("^/i/(.*)$", "/images/$1", "/i/a.png?x=1"), "/images/a.png?x=1");
    EXPECT_EQ(rewritten("^/i/(.*)$", "/images/$1", "/i/a%2Fb%20c"), "/images/a%2Fb%20c");
    EXPECT_EQ(rewritten("^/i/(\\d+)/(\\w+)$", "/$2/$1", "/i/7/x"), "/x/7");
    EXPECT_EQ(rewritten("^/i/(.*)$", "/s?path=$1", "/i/a?x=1"), "/s?path=a&x=1");
    EXPECT_EQ(rewritten("^/i/(.*)$", "/s?path=$1", "/i/a"), "/s?path=a");
    EXPECT_EQ(rewritten("^/i/(.*)$", "$1", "/i/a"), "/a");
    EXPECT_EQ(rewritten("^/i(.*)$", "/$1", "/i/a"), "/a");
    EXPECT_EQ(rewritten("^/i/(x)?(.*)$", "/$1$2$9", "/i/a"), "/a");
    EXPECT_EQ(rewritten("^/i/(.*)$", "/", "/i/a?q"), "/?q");
}

TEST(Rewrite, LeavesThePathAloneWhenItDoesNotFit) {
    EXPECT_EQ(rewritten("^/other", "/x", "//i/%61?q"), "//i/%61?q");
}

TEST(Rewrite, NothingUnsafeLeaves) {
    EXPECT_EQ(rewritten("^/i/a(.*)$", "/f/$1", "/i/a../secret"), "bad_path");
    EXPECT_EQ(rewritten("^/i/(.*)$", "/$1", "/i/%0d%0aX"), "/%0D%0AX");
    FakeScope scope;
    scope.values = {{vars::Var::uri, "/i/a b?#\r\n%"}, {vars::Var::host, "x y?z#\n\\"}};
    EXPECT_EQ(rewritten("^", "$uri", "/i/a", scope), "/i/a%20b%3F%23%0D%0A%25");
    EXPECT_EQ(rewritten("^", "/$host", "/i/a", scope), "/x%20y%3Fz%23%0A%5C");
    const std::string large(64 * 1024, 'a');
    EXPECT_EQ(rewritten("^/i/(.*)$", "/$1$1$1", "/i/" + large).size(), 3 * large.size() + 1);
}

}  // namespace
}  // namespace proxyd::routing
