#include "proxyd/http/uri.hpp"

#include <gtest/gtest.h>

#include <random>

namespace proxyd::http {
namespace {

TEST(SplitTarget, CutsAtTheFirstQuestionMark) {
    EXPECT_EQ(split_target("/a?b?c").path, "/a");
    EXPECT_EQ(split_target("/a?b?c").query, "b?c");
    EXPECT_TRUE(split_target("/a?").has_query);
    EXPECT_EQ(split_target("/a?").query, "");
    EXPECT_FALSE(split_target("/a").has_query);
    EXPECT_EQ(split_target("").path, "");
}

TEST(PlainPath, AcceptsWhatNormalisationWouldNotChange) {
    for (const char* path :
         {"/", "/a", "/api/users", "/a/", "/.well-known/x", "/..a/b", "/a../b", "/a.b/c.d", "/...",
          "/0123456/89abcdef/x.js", "/a{b}|^\"<>`", "/1234567/.x", "/a;b=c/d,e"}) {
        EXPECT_TRUE(is_plain_path(path)) << path;
        const auto normalised = normalise_path(path);
        ASSERT_TRUE(normalised.ok()) << path;
        EXPECT_EQ(normalised->decoded, path);
        EXPECT_EQ(normalised->encoded, path);
    }
}

TEST(PlainPath, RefusesWhatNeedsALook) {
    for (const char* path :
         {"",      "a",       "*",         "//",     "/a//b",       "/.",         "/..",
          "/a/.",  "/a/../b", "/%61",      "/a\\b",  "/1234567//x", "/123456//x", "/12345678/..",
          "/a b",  "/a\tb",   "/\xc3\xbc", "/a\x7f", "/a#b",        "/a?b",       "/\x01",
          "/a\x1f"}) {
        EXPECT_FALSE(is_plain_path(path)) << path;
    }
    EXPECT_FALSE(is_plain_path(std::string_view("/a\0b", 4)));
}

struct Normal {
    const char* path;
    const char* decoded;
    const char* encoded;
    bool ambiguous = false;
};

class Normalise : public testing::TestWithParam<Normal> {};

TEST_P(Normalise, GivesBothSpellings) {
    const Normal& row = GetParam();
    const auto path = normalise_path(row.path);
    ASSERT_TRUE(path.ok()) << row.path;
    EXPECT_EQ(path->decoded, row.decoded) << row.path;
    EXPECT_EQ(path->encoded, row.encoded) << row.path;
    EXPECT_EQ(path->ambiguous, row.ambiguous) << row.path;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Normalise,
    testing::Values(
        Normal{"/", "/", "/"}, Normal{"//", "/", "/"}, Normal{"//admin", "/admin", "/admin"},
        Normal{"/./admin", "/admin", "/admin"}, Normal{"/a/./b/.", "/a/b/", "/a/b/"},
        Normal{"/a/../b", "/b", "/b"}, Normal{"/a/b/..", "/a/", "/a/"}, Normal{"/a/..", "/", "/"},
        Normal{"/a//b///c/", "/a/b/c/", "/a/b/c/"}, Normal{"/%61dmin", "/admin", "/admin"},
        Normal{"/a%20b", "/a b", "/a%20b"}, Normal{"/%c3%bc", "/\xc3\xbc", "/%C3%BC"},
        Normal{"/%7euser%2d", "/~user-", "/~user-"},
        Normal{"/%252e%252e/x", "/%2e%2e/x", "/%252e%252e/x"},
        Normal{"/a%3fb%23c", "/a?b#c", "/a%3Fb%23c"},
        Normal{"/admin%2f", "/admin/", "/admin%2F", true},
        Normal{"/%2fadmin", "/admin", "/%2Fadmin", true},
        Normal{"/a%2F%2fb", "/a/b", "/a%2F%2Fb", true},
        Normal{"/a%2fb/c%20d", "/a/b/c d", "/a%2Fb/c%20d", true},
        Normal{"/a%5cb", "/a\\b", "/a%5Cb", true}, Normal{"/a\\b", "/a\\b", "/a%5Cb", true},
        Normal{"/x/%2e%2e/admin", "/admin", "/admin", true}, Normal{"/a%2eb", "/a.b", "/a.b", true},
        Normal{"/x/..;/admin", "/x/..;/admin", "/x/..;/admin", true},
        Normal{"/x/.;a=b/admin", "/x/.;a=b/admin", "/x/.;a=b/admin", true},
        Normal{"/x/..%3b/admin", "/x/..;/admin", "/x/..%3B/admin", true},
        Normal{"/a;b/c", "/a;b/c", "/a;b/c"}, Normal{"/a//../b", "/b", "/b", true},
        Normal{"/ADMIN", "/ADMIN", "/ADMIN"}, Normal{"/static../x", "/static../x", "/static../x"}));

TEST(NormalisePath, RefusesWhatReadsInTwoWays) {
    for (const char* path : {"",
                             "a",
                             "*",
                             "/%",
                             "/%2",
                             "/%zz",
                             "/a%0",
                             "/%00",
                             "/a%00.php",
                             "/..",
                             "/../x",
                             "/a/../..",
                             "/a/../../b",
                             "/%2e%2e/admin",
                             "/.%2e/x",
                             "/a//../../b",
                             "/x/..%2fadmin",
                             "/x%2f../admin",
                             "/x/..%2Fadmin",
                             "/x%2f%2e%2e%2fadmin",
                             "/x%5c..%5cadmin",
                             "/x\\..\\admin",
                             "/..\\admin",
                             "/x/..%5cadmin",
                             "/a%2f.",
                             "/.%2fa",
                             "/a%2fb/../c",
                             "/a%5cb/../c",
                             "/a\\b/../c",
                             "/a%2f/../b",
                             "/%2f/../b",
                             "/%2f.."}) {
        const auto result = normalise_path(path);
        ASSERT_FALSE(result.ok()) << path;
        EXPECT_EQ(result.error().code, Reason::bad_path) << path;
    }
    EXPECT_FALSE(normalise_path(std::string_view("/a\0b", 4)).ok());
}

bool has_dot_segment(const std::string& path) {
    const std::string padded = path + "/";
    return padded.find("/../") != padded.npos || padded.find("/./") != padded.npos;
}

void expect_invariant(const std::string& path) {
    const auto result = normalise_path(path);
    if (is_plain_path(path)) {
        ASSERT_TRUE(result.ok()) << path;
        ASSERT_EQ(result->decoded, path);
        ASSERT_EQ(result->encoded, path);
    }
    if (!result.ok()) return;
    for (const std::string& spelling : {result->decoded, result->encoded}) {
        ASSERT_TRUE(spelling.starts_with('/')) << path;
        ASSERT_EQ(spelling.find("//"), std::string::npos) << path;
        ASSERT_EQ(spelling.find('\0'), std::string::npos) << path;
        ASSERT_FALSE(has_dot_segment(spelling)) << path;
    }
    const auto again = normalise_path(result->encoded);
    ASSERT_TRUE(again.ok()) << path;
    EXPECT_EQ(again->decoded, result->decoded) << path;
    EXPECT_EQ(again->encoded, result->encoded) << path;
}

TEST(NormalisePath, MutationsNeverBreakTheInvariant) {
    const std::vector<std::string> seeds{"/admin/x",       "/x/..%2fadmin",     "/%2e%2e/admin",
                                         "//admin",        "/./admin",          "/admin%2f",
                                         "/x/..;/admin",   "/a\\..\\b",         "/a%5c%2e%2e/b",
                                         "/a/b/c/../../d", "/api//users/./1%20"};
    constexpr std::string_view kBytes("/.%2fF5cCeE\\;\0aZ 0", 19);
    std::mt19937 random(20240607);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (int round = 0; round < 10'000; ++round) {
        std::string path = seeds[below(seeds.size())];
        for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
            const std::size_t at = below(path.size());
            switch (below(3)) {
                case 0:
                    path[at] = kBytes[below(kBytes.size())];
                    break;
                case 1:
                    path.insert(at, 1, kBytes[below(kBytes.size())]);
                    break;
                default:
                    if (path.size() > 1) path.erase(at, 1);
            }
        }
        expect_invariant(path);
        if (HasFatalFailure()) return;
    }
}

TEST(EncodePath, EscapesWhatMayNotStandInAPath) {
    EXPECT_EQ(encode_path("/a b%?#\\\n\xc3\xbc"), "/a%20b%25%3F%23%5C%0A%C3%BC");
    EXPECT_EQ(encode_path("/a:@!$&'()*+,;=-._~"), "/a:@!$&'()*+,;=-._~");
}

}  // namespace
}  // namespace proxyd::http
