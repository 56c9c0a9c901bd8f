// caches and cache: forms, how levels merge, and what is wrong.
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string host(const std::string& keys) {
    return "caches: { pages: { memory: 1m } }\nhosts: { a: { upstream: 3000, " + keys + " } }\n";
}

std::shared_ptr<const Cache> cache_of(const std::shared_ptr<const Snapshot>& snapshot,
                                      std::size_t location = 0) {
    return snapshot->hosts.at(0).locations.at(location).policy->cache;
}

TEST(CacheConfig, Defaults) {
    const auto snapshot = must_load(host("cache: pages"));
    const auto cache = cache_of(snapshot);
    ASSERT_TRUE(cache);
    EXPECT_EQ(cache->zone, "pages");
    EXPECT_TRUE(cache->valid.empty());
    EXPECT_EQ(cache->use_stale, 0U);
    EXPECT_TRUE(cache->lock && cache->head && cache->background_update && cache->honour_client);
    EXPECT_EQ(cache->key.source(), "$scheme$host$request_uri");
    EXPECT_EQ(cache->status_header, "X-Cache-Status");
    const CacheZone& zone = snapshot->caches.at("pages");
    EXPECT_EQ(zone.memory, std::size_t{1} << 20);
    EXPECT_EQ(zone.levels, "1:2");
    EXPECT_EQ(zone.inactive, Duration{600'000});
    EXPECT_EQ(must_load("caches: { x: }\nhosts: { a: 3000 }\n")->caches.at("x").memory,
              std::size_t{10} << 20);
}

TEST(CacheConfig, LevelsMergeKeyByKey) {
    const auto snapshot =
        must_load(host("cache: { zone: pages, valid: 5m, use_stale: [error, updating] }, "
                       "locations: { /: {}, /a/: { cache: { valid: { any: 1s, 404: 2s } } }, "
                       "/b/: { cache: off } }"));
    EXPECT_EQ(cache_of(snapshot, 0)->valid.size(), 3U);
    const auto inner = cache_of(snapshot, 1);
    EXPECT_EQ(inner->zone, "pages");
    ASSERT_EQ(inner->valid.size(), 2U);
    EXPECT_EQ(inner->valid[0].status, 404) << "exact ones first";
    EXPECT_EQ(inner->valid[1].time, Duration{1'000});
    EXPECT_TRUE(inner->stale_updating);
    EXPECT_FALSE(inner->has(RetryOn::timeout));
    EXPECT_FALSE(cache_of(snapshot, 2));
}

TEST(CacheConfig, SaysWhatIsWrong) {
    const auto said_of = [](const std::string& keys) { return errors_of(host(keys)); };
    EXPECT_THAT(said_of("cache: page"),
                ElementsAre(HasSubstr("no cache is called 'page' | did you mean 'pages'?")));
    EXPECT_THAT(said_of("cache: { valid: 1m }"), ElementsAre(HasSubstr("'cache' needs a zone")));
    EXPECT_THAT(said_of("cache: { zone: pages, valid: { 206: 1m } }"),
                ElementsAre(HasSubstr("'206' is not a status that is stored")));
    EXPECT_THAT(said_of("cache: { zone: pages, valid: { 200: 10 } }"),
                ElementsAre(HasSubstr("a duration needs a unit: 10s")));
    EXPECT_THAT(said_of("cache: { zone: pages, use_stale: [eror] }"),
                ElementsAre(HasSubstr("did you mean 'error'?")));
    EXPECT_THAT(said_of("cache: { zone: pages, methods: [GET, POST] }"),
                ElementsAre(HasSubstr("'POST' is never answered from the cache")));
    EXPECT_THAT(said_of("cache: { zone: pages, methods: [HEAD] }"),
                ElementsAre(HasSubstr("needs GET")));
    EXPECT_THAT(said_of("cache: { zone: pages, client_cache_control: honor }"),
                ElementsAre(HasSubstr("did you mean 'honour'?")));
    EXPECT_THAT(said_of("cache: { zone: pages, bypass: [$htp_x] }"),
                ElementsAre(HasSubstr("unknown variable '$htp_x'")));
    EXPECT_THAT(errors_of("caches: { a: { levels: \"3\" } }\nhosts: { b: 3000 }\n"),
                ElementsAre(HasSubstr("'levels' wants one to three of 1 and 2, not '3'")));
    EXPECT_THAT(errors_of("caches: { a: { path: /x }, b: { path: /x } }\nhosts: { b: 3000 }\n"),
                ElementsAre(HasSubstr("cache 'b' has the path of cache 'a'")));
    EXPECT_THAT(errors_of("caches: { a: { memory: 1k } }\nhosts: { b: 3000 }\n"),
                ElementsAre(HasSubstr("'memory' must be")));
}

}  // namespace
}  // namespace proxyd::config
