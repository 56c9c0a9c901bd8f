#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const Snapshot> with_locations(const std::string& locations) {
    return must_load("hosts: { h: { upstream: 3000, locations: {" + locations + "} } }\n");
}

std::vector<std::string> errors_in(const std::string& locations) {
    return errors_of("hosts: { h: { upstream: 3000, locations: {" + locations + "} } }\n");
}

TEST(Locations, EveryKindOfMatcherInFileOrder) {
    const auto snapshot = with_locations(
        "/: {}, /api/: {}, '= /x': {}, '=/y': {}, '^~ /s/': {}, '~ \\.php$': {}, '~* \\.png$': {}, "
        "'/raw*': {}");
    const auto& locations = snapshot->hosts[0].locations;
    using Kind = Matcher::Kind;
    const std::pair<Kind, const char*> wanted[] = {
        {Kind::prefix, "/"},       {Kind::prefix, "/api/"},     {Kind::exact, "/x"},
        {Kind::exact, "/y"},       {Kind::final_prefix, "/s/"}, {Kind::regex, "\\.php$"},
        {Kind::iregex, "\\.png$"}, {Kind::raw_prefix, "/raw"}};
    ASSERT_EQ(locations.size(), std::size(wanted));
    for (std::size_t i = 0; i < std::size(wanted); ++i) {
        EXPECT_EQ(locations[i].matcher.kind, wanted[i].first);
        EXPECT_EQ(locations[i].matcher.text, wanted[i].second);
    }
    EXPECT_EQ(locations[2].matcher.source, "= /x");
    EXPECT_EQ(locations[2].origin.line, 1);
    EXPECT_EQ(*locations[2].origin.file, "test.yaml");
}

TEST(Locations, MatchersThatAreRefused) {
    EXPECT_THAT(errors_in("api: {}"), ElementsAre(HasSubstr("must start with '/' | /api")));
    EXPECT_THAT(errors_in("'= x': {}"), ElementsAre(HasSubstr("must start with '/'")));
    EXPECT_THAT(errors_in("'/a/*/b': {}"), ElementsAre(HasSubstr("a '*' inside")));
    EXPECT_THAT(errors_in("'~ (': {}"), ElementsAre(HasSubstr("missing )")));
    EXPECT_THAT(errors_in("'~ (a)\\1': {}"),
                ElementsAre(HasSubstr("backreferences are not supported")));
    EXPECT_THAT(errors_in("'~ (?<!a)b': {}"),
                ElementsAre(HasSubstr("lookbehind is not supported")));
    EXPECT_THAT(errors_in("\"@named\": {}"), ElementsAre(HasSubstr("no named locations")));
}

TEST(Locations, ShadowedMeansTheSameMatcherTwice) {
    EXPECT_THAT(errors_in("'= /x': 1, '=/x': 2"),
                ElementsAre(HasSubstr("location '=/x' is shadowed by '= /x'")));
    EXPECT_THAT(errors_in("/x: 1, '^~ /x': 2"), ElementsAre(HasSubstr("is shadowed by '/x'")));
    with_locations("/x: 1, /x/: 2, '= /x': 3, '/x*': 4, '~ /x': 5, '~* /x': 6");
}

TEST(Locations, PathsThatNeverMatchAreWarnings) {
    for (const char* path : {"/a//b", "/a/../b", "/a%20b", "/a?b", "/a/.", "/./a"}) {
        const LoadResult result = load_text("hosts: { h: { upstream: 1, locations: { \"" +
                                            std::string(path) + "\": {} } } }");
        ASSERT_EQ(result.diagnostics.size(), 1U) << path;
        EXPECT_EQ(result.diagnostics[0].severity, Diagnostic::Severity::warning);
        EXPECT_NE(result.snapshot, nullptr);
    }
}

TEST(Locations, Actions) {
    const auto snapshot = with_locations(
        "/a: 3001, /b: { upstream: 3002 }, /c: {}, /d: { return: 410 },"
        "/e: { return: { status: 200, body: \"ok $uri\", type: text/html } },"
        "/f: { redirect: \"https://n.example.com$request_uri\" },"
        "/g: { redirect: { to: /x, status: 307 } }");
    const auto& l = snapshot->hosts[0].locations;
    EXPECT_EQ(l[0].action.upstream, "127.0.0.1:3001");
    EXPECT_EQ(l[1].action.upstream, "127.0.0.1:3002");
    EXPECT_EQ(l[2].action.upstream, "127.0.0.1:3000");
    EXPECT_EQ(l[3].action.kind, Action::Kind::answer);
    EXPECT_EQ(l[3].action.status, 410);
    EXPECT_EQ(l[3].action.content_type, "text/plain");
    EXPECT_TRUE(l[3].action.text.empty());
    EXPECT_EQ(l[4].action.text.source(), "ok $uri");
    EXPECT_EQ(l[4].action.content_type, "text/html");
    EXPECT_EQ(l[5].action.kind, Action::Kind::redirect);
    EXPECT_EQ(l[5].action.status, 301);
    EXPECT_TRUE(l[5].action.status_by_method);
    EXPECT_EQ(l[6].action.status, 307);
    EXPECT_FALSE(l[6].action.status_by_method);
}

TEST(Locations, ExactlyOneAction) {
    EXPECT_THAT(errors_in("/: { upstream: 1, return: 404 }"),
                ElementsAre(HasSubstr("'return' and 'upstream' exclude each other")));
    EXPECT_THAT(errors_in("/: { redirect: /x, return: 404 }"),
                ElementsAre(HasSubstr("exclude each other")));
    EXPECT_THAT(errors_of("hosts: { h: { locations: { /: {} } } }"),
                ElementsAre(HasSubstr("location '/' has no action")));
    EXPECT_THAT(errors_in("/: { return: 99 }"),
                ElementsAre(HasSubstr("'status' must be between 200 and 599, not 99")));
    EXPECT_THAT(errors_in("/: { redirect: { to: /, status: 304 } }"),
                ElementsAre(HasSubstr("a redirect cannot have status 304")));
    EXPECT_THAT(errors_in("/: { redirect: { status: 302 } }"),
                ElementsAre(HasSubstr("has no target")));
    EXPECT_THAT(errors_in("/: { redirect: \"/x\\r\\nSet-Cookie: a\" }"),
                ElementsAre(HasSubstr("'to' has a control character")));
    EXPECT_THAT(errors_in("/: [1]"), ElementsAre(HasSubstr("not a list")));
}

TEST(Locations, PathRules) {
    const auto snapshot = with_locations(
        "/a/: { strip_prefix: true }, /b/: { replace_prefix: /v2/ }, /d/: { strip_prefix: off },"
        "'~ x': { rewrite: { match: '^/i/(.*)/(.*)$', to: '/$2/$1' } }");
    const auto& l = snapshot->hosts[0].locations;
    EXPECT_EQ(l[0].path_rule.kind, PathRule::Kind::strip);
    EXPECT_EQ(l[1].path_rule.kind, PathRule::Kind::replace);
    EXPECT_EQ(l[1].path_rule.replacement, "/v2/");
    EXPECT_EQ(l[2].path_rule.kind, PathRule::Kind::none);
    EXPECT_EQ(l[3].path_rule.kind, PathRule::Kind::rewrite);
    EXPECT_EQ(l[3].path_rule.match, "^/i/(.*)/(.*)$");
    EXPECT_EQ(l[3].path_rule.to.source(), "/$2/$1");
}

TEST(Locations, PathRulesThatAreRefused) {
    EXPECT_THAT(errors_in("/: { strip_prefix: on, replace_prefix: /x }"),
                ElementsAre(HasSubstr("one change of the path")));
    EXPECT_THAT(errors_in("'~ x': { strip_prefix: on }"),
                ElementsAre(HasSubstr("a regex has no prefix")));
    EXPECT_THAT(errors_in("/: { replace_prefix: v2/ }"),
                ElementsAre(HasSubstr("must start with '/' | /v2/")));
    EXPECT_THAT(errors_in("/: { return: 404, strip_prefix: on }"),
                ElementsAre(HasSubstr("'strip_prefix' needs an upstream")));
    EXPECT_THAT(errors_in("/: { rewrite: { match: '^/(a)', to: '/$2' } }"),
                ElementsAre(HasSubstr("no group for $2")));
    EXPECT_THAT(errors_in("/: { rewrite: { match: '^/(a)' } }"),
                ElementsAre(HasSubstr("needs 'match' and 'to'")));
    EXPECT_THAT(errors_in("/: { rewrite: { match: '(', to: /x } }"),
                ElementsAre(HasSubstr("missing )")));
    EXPECT_THAT(errors_in("/: { rewrite: /x }"), ElementsAre(HasSubstr("'rewrite' wants a map")));
}

TEST(Locations, ABrokenHostUpstreamIsSaidOnce) {
    EXPECT_THAT(errors_of("hosts: { h: { upstream: nope, locations: { /: {}, /b: {} } } }"),
                ElementsAre(HasSubstr("unknown upstream 'nope'")));
}

}  // namespace
}  // namespace proxyd::config
