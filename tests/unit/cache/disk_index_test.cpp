#include <gtest/gtest.h>

#include <malloc.h>

#include <random>
#include <set>

#include "cache/disk/index.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr std::uint64_t kPage = 4096;

Key key(int number) {
    return key_of("http://a.test/" + std::to_string(number));
}

StoredHead* head_of(const std::string& url, const std::string& tags = "") {
    auto* head = new StoredHead;
    head->key_text = url;
    head->key = key_of(url);
    head->tags = tags;
    head->status = 200;
    head->seal();
    return head;
}

Traits traits(const std::string& url, const std::string& tags = "") {
    const HeadPtr head(head_of(url, tags));
    return traits_of(*head);
}

void put(Index& index, int number, Tick now, std::uint64_t pages = 1) {
    index.take(pages * kPage);
    index.put(key(number), pages * kPage, {}, now);
}

TEST(DiskIndex, TheOldestGoesFirstWhereverItLies) {
    Index index;
    for (int i = 0; i < 1000; ++i) put(index, i, static_cast<Tick>(i + 1));
    EXPECT_TRUE(index.touch(key(0), 2000));
    EXPECT_EQ(index.entries(), 1000U);
    EXPECT_EQ(index.bytes(), 1000 * kPage);
    for (int i = 1; i < 1000; ++i) {
        EXPECT_EQ(index.pop_oldest(), key(i));
    }
    EXPECT_EQ(index.pop_oldest(), key(0));
    EXPECT_EQ(index.pop_oldest(), std::nullopt);
    EXPECT_EQ(index.entries(), 0U);
    EXPECT_EQ(index.bytes(), 0U);
}

TEST(DiskIndex, OnlyWhatWasNotUsedForLongIsTaken) {
    Index index;
    put(index, 1, 10);
    put(index, 2, 20);
    EXPECT_EQ(index.pop_older_than(10), std::nullopt);
    EXPECT_EQ(index.pop_older_than(20), key(1));
    EXPECT_EQ(index.pop_older_than(20), std::nullopt);
    EXPECT_EQ(index.pop_older_than(0), std::nullopt);
}

TEST(DiskIndex, WhatIsFoundOnDiskIsOlderThanAllThatWasUsed) {
    Index index;
    put(index, 1, 1);
    EXPECT_TRUE(index.add_found(key(2), 2 * kPage));
    EXPECT_FALSE(index.add_found(key(1), 7 * kPage)) << "what is known stays as it is";
    EXPECT_EQ(index.bytes(), 3 * kPage);
    EXPECT_EQ(index.pop_oldest(), key(2));
    EXPECT_EQ(index.pop_oldest(), key(1));
}

TEST(DiskIndex, ReplacingCountsOnce) {
    Index index;
    put(index, 1, 1, 5);
    put(index, 1, 2, 2);
    EXPECT_EQ(index.entries(), 1U);
    EXPECT_EQ(index.bytes(), 2 * kPage);
    EXPECT_TRUE(index.erase(key(1)));
    EXPECT_FALSE(index.erase(key(1)));
    EXPECT_FALSE(index.contains(key(1)));
    EXPECT_EQ(index.bytes(), 0U);
}

std::set<Key> candidates(const Index& index, const Candidates& wanted) {
    std::vector<Key> keys;
    Index::Position position;
    while (index.walk(position, wanted, 10, keys)) {
    }
    std::set<Key> all(keys.begin(), keys.end());
    EXPECT_EQ(all.size(), keys.size());
    return all;
}

TEST(DiskIndex, AWalkSeesEveryCandidateOnce) {
    Index index;
    const auto add = [&](const std::string& url, const std::string& tags) {
        index.take(kPage);
        index.put(key_of(url), kPage, traits(url, tags), 1);
        return key_of(url);
    };
    const Key one = add("http://a.test/1", "red blue");
    const Key two = add("http://a.test/2", "blue");
    const Key other = add("http://b.test/1", "");
    const Key unknown = key_of("http://a.test/found");
    index.add_found(unknown, kPage);
    using Kind = Selector::Kind;
    const auto of = [&](Kind kind, const std::string& text) {
        return candidates(index, Candidates(Selector{kind, text, false}));
    };
    EXPECT_EQ(candidates(index, {}), (std::set{one, two, other, unknown}));
    EXPECT_EQ(of(Kind::url, "http://a.test/1"), (std::set{one}));
    EXPECT_EQ(of(Kind::prefix, "http://a.test/1"), (std::set{one, two, unknown}));
    EXPECT_EQ(of(Kind::prefix, "http://a"), (std::set{one, two, other, unknown}));
    EXPECT_EQ(of(Kind::tag, "blue"), (std::set{one, two}));
    EXPECT_EQ(of(Kind::tag, "red"), std::set{one});
    EXPECT_EQ(candidates(index, Candidates::unknown()), std::set{unknown});
    index.set_traits(unknown, traits("http://a.test/found", "red"));
    EXPECT_EQ(of(Kind::tag, "red"), (std::set{one, unknown}));
    EXPECT_EQ(of(Kind::tag, "re"), std::set<Key>{});
}

TEST(DiskIndex, AgreesWithASimpleModel) {
    Index index;
    std::mt19937 random(7);
    std::vector<std::pair<int, std::uint64_t>> model;  // the oldest first
    const auto drop = [&](int number) {
        std::erase_if(model, [&](const auto& each) { return each.first == number; });
    };
    for (Tick now = 1; now < 20'000; ++now) {
        const int number = static_cast<int>(random() % 500);
        switch (random() % 4) {
            case 0:
            case 1: {
                const std::uint64_t pages = random() % 9 + 1;
                put(index, number, now, pages);
                drop(number);
                model.emplace_back(number, pages);
                break;
            }
            case 2: {
                const auto before = model.size();
                drop(number);
                EXPECT_EQ(index.erase(key(number)), model.size() != before);
                break;
            }
            default: {
                if (model.size() < 400) break;
                EXPECT_EQ(index.pop_oldest(), key(model.front().first));
                model.erase(model.begin());
            }
        }
        ASSERT_EQ(index.entries(), model.size());
    }
    std::uint64_t pages = 0;
    for (const auto& each : model) pages += each.second;
    EXPECT_EQ(index.bytes(), pages * kPage);
}

TEST(DiskIndex, AMillionEntriesTakeLessThan200BytesEach) {
    constexpr int kEntries = 1'000'000;
    const auto used = [] {
        const auto info = mallinfo2();
        return info.uordblks + info.hblkhd;
    };
    const std::size_t before = used();
    Index index;
    Traits some = traits("http://a.test/1", "one two three");
    for (int i = 0; i < kEntries; ++i) {
        index.take(kPage);
        index.put(Key{static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15,
                      static_cast<std::uint64_t>(i) * 0xc4ceb9fe1a85ec53},
                  kPage, some, 1);
    }
#ifndef PROXYD_SANITIZED
    const std::size_t each = (used() - before) / kEntries;
    RecordProperty("bytes_per_entry", static_cast<int>(each));
    EXPECT_LT(each, 200U);
    EXPECT_GT(each, 32U) << "this measures nothing";
#endif
    EXPECT_EQ(index.entries(), static_cast<std::uint64_t>(kEntries));
}

}  // namespace
}  // namespace proxyd::cache::disk
