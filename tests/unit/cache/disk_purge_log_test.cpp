#include <gtest/gtest.h>

#include "cache/disk/purge_log.hpp"

namespace proxyd::cache::disk {
namespace {

using Kind = Selector::Kind;
using Verdict = PurgeLog::Verdict;

HeadPtr head(const std::string& url, const std::string& tags = "") {
    boost::intrusive_ptr<StoredHead> made(new StoredHead);
    made->key_text = url;
    made->key = key_of(url);
    made->tags = tags;
    made->seal();
    return made;
}

const HeadPtr kPage = head("http://a.test/page", "red blue");

Selector select(Kind kind, std::string text, bool soft = false) {
    return Selector{kind, std::move(text), soft};
}

TEST(DiskPurgeLog, WhatBeganBeforeIsPurgedAndWhatBeganLaterIsNot) {
    PurgeLog log;
    const Moment before = log.now();
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::kept);
    (void)log.purge(select(Kind::url, "http://a.test/page"));
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::gone);
    EXPECT_EQ(log.find(*kPage, log.now()).verdict, Verdict::kept);
    EXPECT_EQ(log.find(*head("http://a.test/page2"), before).verdict, Verdict::kept);
}

TEST(DiskPurgeLog, SoftOnesMakeStaleUnlessAHardOneMeansItToo) {
    PurgeLog log;
    const Moment before = log.now();
    (void)log.purge(select(Kind::tag, "red", true));
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::stale);
    EXPECT_EQ(log.find(*head("http://a.test/page", "redder"), before).verdict, Verdict::kept);
    (void)log.purge(select(Kind::prefix, "http://a.test/"));
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::gone);
}

TEST(DiskPurgeLog, AWalkEndsAPurge) {
    PurgeLog log;
    const Moment before = log.now();
    const auto one = log.purge(select(Kind::all, ""));
    EXPECT_EQ(log.open_purges().size(), 1U);
    log.walked(one.number);
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::kept);
    EXPECT_TRUE(log.open_purges().empty());
    (void)log.purge(select(Kind::all, ""));
    const auto seen = log.number();
    (void)log.purge(select(Kind::tag, "red"));
    log.all_walked(seen);
    EXPECT_EQ(log.open_purges().size(), 1U);
    EXPECT_EQ(log.open_purges()[0].which.text, "red");
}

TEST(DiskPurgeLog, AFillThatBeganBeforeIsRememberedToItsEnd) {
    PurgeLog log;
    const Moment fill = log.fill_begins();
    const Moment second = log.fill_begins();
    const auto purge = log.purge(select(Kind::url, "http://a.test/page"));
    const Moment third = log.fill_begins();
    log.walked(purge.number);
    log.fill_ends(second);
    EXPECT_EQ(log.find_fill(*kPage, fill).verdict, Verdict::gone);
    EXPECT_EQ(log.find_fill(*kPage, third).verdict, Verdict::kept);
    log.fill_ends(fill);
    EXPECT_EQ(log.find_fill(*kPage, fill).verdict, Verdict::kept) << "forgotten";
    log.fill_ends(third);
}

TEST(DiskPurgeLog, ARemovalCountsUntilItsFileIsGoneAndTheLastFillEnded) {
    PurgeLog log;
    const Moment fill = log.fill_begins();
    log.remove(kPage->key);
    log.remove(kPage->key);
    log.removed(kPage->key);
    EXPECT_EQ(log.find(*kPage, fill).verdict, Verdict::gone);
    log.fill_ends(fill);
    EXPECT_EQ(log.find(*kPage, fill).verdict, Verdict::gone) << "one file is still there";
    log.removed(kPage->key);
    EXPECT_EQ(log.find(*kPage, fill).verdict, Verdict::kept);
}

TEST(DiskPurgeLog, TooManyRemovalsCostFillsButNoMemory) {
    PurgeLog log;
    const Moment fill = log.fill_begins();
    for (std::size_t i = 0; i <= PurgeLog::kMostRemovals; ++i) {
        const Key key = key_of(std::to_string(i));
        log.remove(key);
        log.removed(key);
    }
    EXPECT_EQ(log.find_fill(*kPage, fill).verdict, Verdict::gone) << "nobody knows any more";
    EXPECT_EQ(log.find(*kPage, fill).verdict, Verdict::kept) << "its file would be gone";
    const Moment later = log.fill_begins();
    EXPECT_EQ(log.find_fill(*kPage, later).verdict, Verdict::kept);
    log.fill_ends(fill);
    log.fill_ends(later);
}

TEST(DiskPurgeLog, MorePurgesThanItCanRememberBecomeOneOfEverything) {
    PurgeLog log;
    const Moment before = log.now();
    for (std::size_t i = 0; i < PurgeLog::kMostPurges; ++i) {
        (void)log.purge(select(Kind::tag, std::to_string(i)));
        (void)log.purge(select(Kind::tag, "again"));
    }
    EXPECT_LE(log.open_purges().size(), PurgeLog::kMostPurges);
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::gone);
    EXPECT_EQ(log.find(*kPage, log.now()).verdict, Verdict::kept);
    log.all_walked(log.number());
    EXPECT_TRUE(log.open_purges().empty());
}

TEST(DiskPurgeLog, TheLogOfAFormerProcessCounts) {
    PurgeLog log;
    const Moment before = log.now();
    log.restore({select(Kind::tag, "red"), before + 1'000'000});
    EXPECT_EQ(log.find(*kPage, before).verdict, Verdict::gone);
    EXPECT_EQ(log.find(*kPage, log.now()).verdict, Verdict::kept) << "though the clock went back";
}

}  // namespace
}  // namespace proxyd::cache::disk
