// mirror, cookie_domain, cookie_path: how levels merge, and what is wrong.
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;

std::string host(const std::string& keys) {
    return "upstreams: { shadow: 3001 }\nhosts: { a: { upstream: 3000, " + keys + " } }\n";
}

const Policy& policy_of(const std::shared_ptr<const Snapshot>& snapshot, std::size_t location = 0) {
    return *snapshot->hosts.at(0).locations.at(location).policy;
}

TEST(MirrorConfig, FormsAndLevels) {
    const auto brief = must_load(host("mirror: shadow"));
    ASSERT_TRUE(policy_of(brief).mirror);
    EXPECT_EQ(policy_of(brief).mirror->upstream, "shadow");
    EXPECT_EQ(policy_of(brief).mirror->percent, 100U);
    const auto levels = must_load(
        host("mirror: { upstream: shadow, percent: 10 }, "
             "locations: { /: {}, /a/: { mirror: { percent: 50 } }, /b/: { mirror: off }, "
             "/c/: { mirror: 3002 } }"));
    EXPECT_EQ(policy_of(levels, 0).mirror->percent, 10U);
    EXPECT_EQ(policy_of(levels, 1).mirror->upstream, "shadow");
    EXPECT_EQ(policy_of(levels, 1).mirror->percent, 50U);
    EXPECT_FALSE(policy_of(levels, 2).mirror);
    EXPECT_EQ(policy_of(levels, 3).mirror->upstream, "127.0.0.1:3002");
}

TEST(MirrorConfig, SaysWhatIsWrong) {
    EXPECT_THAT(errors_of(host("mirror: { percent: 10 }")),
                ElementsAre("2:31 'mirror' needs an upstream | "
                            "mirror: { upstream: shadow, percent: 10 }"));
    EXPECT_THAT(errors_of(host("mirror: shadw")),
                ElementsAre("2:39 unknown upstream 'shadw' | did you mean 'shadow'?"));
    EXPECT_THAT(errors_of(host("mirror: { upstream: shadow, percent: 101 }")),
                ElementsAre("2:68 'percent' must be between 0 and 100, not 101"));
}

TEST(CookieRulesConfig, MergeByName) {
    const auto snapshot =
        must_load(host("cookie_path: { /a/: /x/, /: /y/ }, cookie_domain: { .B.Internal: $host }, "
                       "locations: { /: { cookie_path: { /a/: off, /a/b/: /z/ } } }"));
    const Policy& policy = policy_of(snapshot);
    ASSERT_EQ(policy.cookie_path.size(), 3U);
    EXPECT_EQ(policy.cookie_path[0].from, "/a/b/");
    EXPECT_EQ(policy.cookie_path[1].from, "/a/");
    EXPECT_TRUE(policy.cookie_path[1].remove);
    EXPECT_EQ(policy.cookie_path[2].to.source(), "/y/");
    ASSERT_EQ(policy.cookie_domain.size(), 1U);
    EXPECT_EQ(policy.cookie_domain[0].from, "b.internal");
}

TEST(CookieRulesConfig, SaysWhatIsWrong) {
    EXPECT_THAT(errors_of(host("cookie_path: { app: / }")),
                ElementsAre("2:46 'app' is not a path | /app"));
    EXPECT_THAT(errors_of(host("cookie_path: /api/")),
                ElementsAre("2:44 'cookie_path' wants a map, not '/api/' | "
                            "cookie_path: { /: /api/ }"));
    EXPECT_THAT(errors_of(host("cookie_domain: { a: 'b; Secure' }")),
                ElementsAre("2:51 a ';' would end the attribute of the cookie"));
}

}  // namespace
}  // namespace proxyd::config
