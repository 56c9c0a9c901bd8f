// Which location a path reaches: five kinds of matcher, nginx's order, whole path elements.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* target;
    const char* location;
};

void expect_locations(const std::string& config, const std::vector<Row>& rows) {
    Daemon daemon(config);
    RawClient client(daemon.http());
    for (const auto& row : rows) {
        SCOPED_TRACE(row.target);
        const auto response = client.get(row.target);
        EXPECT_EQ(response.status == 404 ? "none" : response.body, row.location);
    }
}

std::string locations(std::initializer_list<std::pair<const char*, const char*>> matchers) {
    std::string text = "hosts:\n  app.test:\n    locations:\n";
    for (const auto& [matcher, body] : matchers) {
        text += "      " + std::string(matcher) + ": { return: { status: 200, body: \"" + body +
                "\" } }\n";
    }
    return text;
}

TEST(LocationMatch, AllKindsInTheirOrder) {
    expect_locations(locations({{"/", "root"},
                                {"= /exact", "exact"},
                                {"/exact", "prefix exact"},
                                {"/docs/", "docs"},
                                {"^~ /assets/", "assets"},
                                {"'~ \\.php$'", "php"},
                                {"'~* \\.(png|jpg)$'", "image"},
                                {"'~ ^/docs/re'", "second regex"},
                                {"/raw*", "raw"}}),
                     {{"/", "root"},
                      {"/other", "root"},
                      {"/exact", "exact"},
                      {"/exact?q=1", "exact"},
                      {"/exact/", "prefix exact"},
                      {"/exact/x", "prefix exact"},
                      {"/exactly", "root"},
                      {"/docs/", "docs"},
                      {"/docs/a/b", "docs"},
                      {"/docs/a.php", "php"},
                      {"/docs/rest", "second regex"},
                      {"/docs/re.php", "php"},
                      {"/assets/a.php", "assets"},
                      {"/assets/x.png", "assets"},
                      {"/a.png", "image"},
                      {"/a.PNG", "image"},
                      {"/a.PHP", "root"},
                      {"/a.php?x.png", "php"},
                      {"/a?x.php", "root"},
                      {"/raw", "raw"},
                      {"/rawhide", "raw"},
                      {"/raw/x", "raw"},
                      {"/ra", "root"},
                      {"/EXACT", "root"}});
}

TEST(LocationMatch, LongestPrefixWinsAndOnlyWholeElementsCount) {
    expect_locations(
        locations({{"/api", "api"}, {"/api/v1", "v1"}, {"/api/v1/users/", "users"}, {"/b/", "b"}}),
        {{"/api", "api"},
         {"/api/", "api"},
         {"/api/x", "api"},
         {"/apix", "none"},
         {"/api/v1", "v1"},
         {"/api/v12", "api"},
         {"/api/v1/x", "v1"},
         {"/api/v1/users/7", "users"},
         {"/api/v1/users", "v1"},
         {"/b/", "b"},
         {"/b/c", "b"},
         {"/bc", "none"},
         {"/", "none"}});
}

TEST(LocationMatch, ProtectedPrefixOnlyWinsWhenItIsTheLongest) {
    expect_locations(
        locations({{"^~ /a/", "protected"}, {"/a/b/", "longer"}, {"'~ \\.x$'", "regex"}}),
        {{"/a/1.x", "protected"}, {"/a/b/1.x", "regex"}, {"/a/b/1.y", "longer"}});
}

TEST(LocationMatch, RegexesGoInFileOrder) {
    expect_locations(locations({{"'~ ^/r/'", "first"}, {"'~ ^/r/long'", "second"}}),
                     {{"/r/long", "first"}, {"/r/", "first"}, {"/x", "none"}});
}

TEST(LocationMatch, HappensOnTheDecodedDotFreePath) {
    expect_locations(locations({{"/", "root"},
                                {"/admin", "admin"},
                                {"/a b/", "space"},
                                {"'~ ^/re/[0-9]+$'", "regex"}}),
                     {{"/%61dmin", "admin"},
                      {"/%61%64%6D%69%6e/x", "admin"},
                      {"//admin", "admin"},
                      {"/./admin", "admin"},
                      {"/x/../admin", "admin"},
                      {"/x/%2e%2e/admin", "admin"},
                      {"/x/%2E./admin", "admin"},
                      {"/%2e/admin", "admin"},
                      {"/admin/..", "root"},
                      {"/admin/../other", "root"},
                      {"/admin//x", "admin"},
                      {"/ADMIN", "root"},
                      {"/admin?/../x", "admin"},
                      {"/%2561dmin", "root"},
                      {"/a%20b/c", "space"},
                      {"/re/%31%32", "regex"}});
}

TEST(LocationMatch, PathThatNoneMatchesIs404WithItsReason) {
    Daemon daemon(locations({{"/only/", "only"}}));
    EXPECT_EQ(get_once(daemon.http(), "/else").status, 404);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "no_location");
}

TEST(LocationMatch, HostWithoutLocationsTakesEveryPath) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { app.test: @UP1@ }\n", ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/any/path").status, 200);
}

TEST(LocationMatch, RegexAgainstAHostilePathIsQuick) {
    Daemon daemon(locations({{"'~ ^/(a+)+$'", "regex"}, {"/", "root"}}));
    const auto start = Clock::now();
    EXPECT_EQ(get_once(daemon.http(), "/" + std::string(5000, 'a') + "!").body, "root");
    EXPECT_LT(Clock::now() - start, Duration(1000));
}

}  // namespace
}  // namespace proxyd::test
