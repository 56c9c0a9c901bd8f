#include "routing/location_tree.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/routing/fixture.hpp"

namespace proxyd::routing {
namespace {

std::string choose(const std::vector<std::string>& sources, std::string_view path) {
    std::vector<config::Location> locations;
    for (const std::string& source : sources) locations.push_back(testing::location(source));
    LocationTree tree;
    EXPECT_TRUE(tree.build(locations, 0).ok());
    const auto found = tree.find(path);
    if (!found) return "none";
    return (found->slash_redirect ? "redirect " : "") + sources[found->location];
}

TEST(LocationTree, FollowsTheOrder) {
    const std::vector<std::string> all{
        "/",        "/api/", "= /health",    "^~ /assets/",  "~ \\.php$", "~* \\.(png|jpg)$",
        "/api/v1/", "/raw*", "~ ^/api/v1/x", "/api/v1/y.php"};
    const struct {
        const char *path, *expected;
    } rows[] = {
        {"/", "/"},
        {"/x", "/"},
        {"/health", "= /health"},
        {"/health/", "/"},
        {"/healthy", "/"},
        {"/api/", "/api/"},
        {"/api/users", "/api/"},
        {"/apix", "/"},
        {"/api", "redirect /api/"},
        {"/assets/a.php", "^~ /assets/"},
        {"/assets", "redirect ^~ /assets/"},
        {"/a.php", "~ \\.php$"},
        {"/a.PHP", "/"},
        {"/api/a.php", "~ \\.php$"},
        {"/api/v1/a", "/api/v1/"},
        {"/api/v1/x.php", "~ \\.php$"},
        {"/api/v1/x.png", "~* \\.(png|jpg)$"},
        {"/api/v1/x", "~ ^/api/v1/x"},
        {"/i/A.PNG", "~* \\.(png|jpg)$"},
        {"/rawest/x", "/raw*"},
        {"/raw", "/raw*"},
        {"/ra", "/"},
        {"/api/v1", "redirect /api/v1/"},
        {"/api/v1/y.php", "~ \\.php$"},
    };
    for (const auto& row : rows) EXPECT_EQ(choose(all, row.path), row.expected) << row.path;
}

TEST(LocationTree, PrefixesTakeWholeElements) {
    const std::vector<std::string> all{"/api", "/api/users", "/api/users/"};
    const struct {
        const char *path, *expected;
    } rows[] = {
        {"/api", "/api"},
        {"/api/", "/api"},
        {"/api/x", "/api"},
        {"/apix", "none"},
        {"/api/users", "/api/users"},
        {"/api/users/", "/api/users/"},
        {"/api/usersx", "/api"},
        {"/api/user", "/api"},
        {"/", "none"},
        {"/API", "none"},
    };
    for (const auto& row : rows) EXPECT_EQ(choose(all, row.path), row.expected) << row.path;
}

TEST(LocationTree, AncestorsAreFoundPastNeighbours) {
    const std::vector<std::string> all{"/a", "/a/b/c", "/a/b/d*", "/a-b", "/a*", "/b"};
    EXPECT_EQ(choose(all, "/a/b/cx"), "/a");
    EXPECT_EQ(choose(all, "/a/b/dx"), "/a/b/d*");
    EXPECT_EQ(choose(all, "/a/b/e"), "/a");
    EXPECT_EQ(choose(all, "/az"), "/a*");
    EXPECT_EQ(choose(all, "/a"), "/a");
    EXPECT_EQ(choose(all, "/a-b/x"), "/a-b");
    EXPECT_EQ(choose(all, "/a-bc"), "/a*");
    EXPECT_EQ(choose(all, "/c"), "none");
}

TEST(LocationTree, TheSlashRedirectHasItsLimits) {
    EXPECT_EQ(choose({"/api/", "= /api"}, "/api"), "= /api");
    EXPECT_EQ(choose({"/api/", "/api"}, "/api"), "/api");
    EXPECT_EQ(choose({"/api/", "/"}, "/api"), "redirect /api/");
    EXPECT_EQ(choose({"/api/", "~ ^/api$"}, "/api"), "redirect /api/");
    EXPECT_EQ(choose({"/api/", "/api-x", "/api!"}, "/api"), "redirect /api/");
    EXPECT_EQ(choose({"/a\xc3\xbc/", "/a/"}, "/a"), "redirect /a/");
    EXPECT_EQ(choose({"/api/*"}, "/api"), "none");

    std::vector<config::Location> answer{testing::location("/api/")};
    answer[0].action.kind = config::Action::Kind::answer;
    LocationTree tree;
    ASSERT_TRUE(tree.build(answer, 0).ok());
    EXPECT_FALSE(tree.find("/api"));
}

TEST(LocationTree, RegexesSeeEveryByte) {
    EXPECT_EQ(choose({"~ ^/admin.*secret$", "/"}, "/admin/\xff\n/secret"), "~ ^/admin.*secret$");
    EXPECT_EQ(choose({"~ ^/a$"}, "/a\n"), "none");
    EXPECT_EQ(choose({"~* ^/A$"}, "/a"), "~* ^/A$");
    EXPECT_EQ(choose({"~ (a+)+$"}, std::string("/") + std::string(30, 'a') + "!"), "none");
}

/// The rule of configuration.md section 3, without any structure.
std::string choose_slowly(const std::vector<std::string>& sources, std::string_view path) {
    std::string best = "none";
    for (const std::string& source : sources) {
        const std::string_view text = std::string_view(source);
        const bool fits =
            path.starts_with(text) &&
            (path.size() == text.size() || path[text.size()] == '/' || text.back() == '/');
        if (fits && (best == "none" || source.size() > best.size())) best = source;
    }
    return best;
}

TEST(LocationTree, AgreesWithTheRuleOnRandomPrefixes) {
    unsigned state = 1;
    const auto random = [&state](unsigned n) {
        state = state * 1664525 + 1013904223;
        return (state >> 16) % n;
    };
    const auto random_path = [&](unsigned longest) {
        std::string path = "/";
        for (unsigned i = random(7) % longest; i > 0; --i) path += "ab-/"[random(5) % 4];
        return path;
    };
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> sources;
        for (int i = 0; i < 12; ++i) {
            const std::string path = random_path(6);
            if (std::find(sources.begin(), sources.end(), path) == sources.end())
                sources.push_back(path);
        }
        for (int i = 0; i < 20; ++i) {
            const std::string path = random_path(8);
            const std::string found = choose(sources, path);
            if (!found.starts_with("redirect")) {
                EXPECT_EQ(found, choose_slowly(sources, path)) << path;
            }
        }
    }
}

}  // namespace
}  // namespace proxyd::routing
