#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

std::string upstream(const std::string& sticky) {
    return "upstreams: { a: { servers: 3000, sticky: " + sticky + " } }\n";
}

TEST(StickyConfig, ShortAndLongForm) {
    const auto brief = must_load(upstream("srv"))->upstreams.at("a");
    ASSERT_TRUE(brief->sticky);
    EXPECT_EQ(brief->sticky->cookie, "srv");
    EXPECT_EQ(brief->sticky->ttl, Duration(0));
    const auto whole = must_load(upstream("{ cookie: srv, ttl: 1h }"))->upstreams.at("a");
    EXPECT_EQ(whole->sticky->ttl, Duration(3'600'000));
    EXPECT_FALSE(must_load(upstream("off"))->upstreams.at("a")->sticky);
}

TEST(StickyConfig, SaysWhatIsWrong) {
    EXPECT_EQ(errors_of(upstream("on")).at(0),
              "1:42 'on' is not a name for a cookie | sticky: { cookie: srv, ttl: 1h }");
    EXPECT_EQ(errors_of(upstream("{ cookie: 'a b' }")).at(0),
              "1:52 'a b' is not a name for a cookie | sticky: { cookie: srv, ttl: 1h }");
    EXPECT_EQ(errors_of(upstream("{ ttl: 1h }")).at(0),
              "1:34 'sticky' needs the name of a cookie | sticky: { cookie: srv, ttl: 1h }");
    EXPECT_EQ(errors_of(upstream("{ cookie: a, ttl: 500ms }")).at(0),
              "1:60 'ttl' counts whole seconds, not 500ms");
}

}  // namespace
}  // namespace proxyd::config
