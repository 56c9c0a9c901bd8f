#include "proxyd/cache/zone.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace proxyd::cache {
namespace {

ZoneSettings small() {
    ZoneSettings settings;
    settings.name = "z";
    settings.memory = 64 * 1024;
    return settings;
}

Entry entry_of(Zone& zone, const std::string& text, std::size_t body) {
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->key_text = text;
    head->key = key_of(text);
    head->status = 200;
    head->body_size = body;
    head->seal();
    Entry entry;
    entry.head = head;
    auto chunk = zone.chunk(body);
    if (!chunk) return {};
    chunk->append(std::string(body, 'x'));
    entry.body = new StoredBody({chunk});
    return entry;
}

bool holds(Zone& zone, const std::string& text, UnixMilliseconds now = 0) {
    return static_cast<bool>(zone.find(key_of(text), text, now));
}

TEST(CacheZone, RemovesWhatWasNotUsedForLongestAndNeverExceedsItsMemory) {
    Zone zone(small());
    for (int i = 0; i < 100; ++i) {
        const std::string text = "k" + std::to_string(i);
        ASSERT_TRUE(zone.put(entry_of(zone, text, 4'000), i * 1000));
        EXPECT_TRUE(holds(zone, "k0", i * 1000));
        EXPECT_LE(zone.counts().bytes, zone.settings().memory);
    }
    EXPECT_TRUE(holds(zone, "k99"));
    EXPECT_FALSE(holds(zone, "k50"));
    EXPECT_GT(zone.counts().entries, 10U);
}

TEST(CacheZone, ABodyThatIsBeingSentStillCounts) {
    Zone zone(small());
    Entry held = entry_of(zone, "a", 40'000);
    ASSERT_TRUE(zone.put(held, 0));
    zone.remove(key_of("a"));
    EXPECT_FALSE(zone.chunk(30'000));
    held = {};
    EXPECT_TRUE(zone.chunk(30'000));
    EXPECT_EQ(zone.counts().entries, 0U);
}

TEST(CacheZone, TheTextDecidesNotTheHash) {
    Zone zone(small());
    zone.put(entry_of(zone, "a", 10), 0);
    EXPECT_FALSE(zone.find(key_of("a"), "b", 0));
}

TEST(CacheZone, OneLeadsTheOthersJoin) {
    Zone zone(small());
    const Key key = key_of("a");
    const auto first = zone.join(key, "a", {}, 0);
    ASSERT_TRUE(first.leads);
    const auto second = zone.join(key, "a", {}, 0);
    EXPECT_FALSE(second.leads);
    EXPECT_EQ(second.fill, first.fill);
    EXPECT_TRUE(first.fill->joined());
    zone.end(*first.fill, 1'000);
    EXPECT_TRUE(zone.join(key, "a", {}, 999).pass);
    EXPECT_TRUE(zone.join(key, "a", {}, 1'000).leads);
}

TEST(CacheZone, APurgeDoomsTheFillThatRuns) {
    Zone zone(small());
    const auto joined = zone.join(key_of("http://a/x"), "http://a/x", {}, 0);
    Selector selector;
    selector.kind = Selector::Kind::prefix;
    selector.text = "http://a/";
    zone.put(entry_of(zone, "http://a/y", 10), 0);
    zone.put(entry_of(zone, "http://b/y", 10), 0);
    EXPECT_EQ(zone.purge(selector, 0), 1U);
    EXPECT_TRUE(joined.fill->doomed());
    EXPECT_FALSE(holds(zone, "http://a/y"));
    EXPECT_TRUE(holds(zone, "http://b/y"));
}

TEST(CacheZone, WhatNobodyAskedForGoes) {
    Zone zone(small());
    zone.put(entry_of(zone, "old", 10), 0);
    zone.put(entry_of(zone, "new", 10), 500'000);
    zone.tick(700'000);
    EXPECT_FALSE(holds(zone, "old"));
    EXPECT_TRUE(holds(zone, "new"));
}

TEST(CacheZone, AMarkerGrowsAndThenChangesItsSalt) {
    Zone zone(small());
    const Key key = key_of("u");
    const HeadPtr first = zone.mark_vary(key, "u", "", "a", 0);
    EXPECT_EQ(zone.mark_vary(key, "u", "", "a", 0), first);
    EXPECT_EQ(zone.mark_vary(key, "u", "", "", 0), first);
    const HeadPtr second = zone.mark_vary(key, "u", "", "b", 0);
    EXPECT_EQ(second->vary, "a,b");
    EXPECT_NE(second->salt, first->salt);
}

TEST(CacheZone, BearsManyThreads) {
    Zone zone(small());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&zone, t] {
            for (int i = 0; i < 2'000; ++i) {
                const std::string text = "k" + std::to_string((i * (t + 3)) % 97);
                if (auto entry = entry_of(zone, text, 700)) zone.put(entry, i);
                const Entry found = zone.find(key_of(text), text, i);
                if (found) {
                    EXPECT_EQ(found.body->size(), 700U);
                }
                if (i % 50 == 0) zone.remove(key_of(text));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(zone.counts().bytes, zone.settings().memory);
}

}  // namespace
}  // namespace proxyd::cache
