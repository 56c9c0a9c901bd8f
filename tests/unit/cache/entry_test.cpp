#include "proxyd/cache/entry.hpp"

#include <gtest/gtest.h>

#include "proxyd/cache/selector.hpp"

namespace proxyd::cache {
namespace {

TEST(CacheKey, IsTheSameInEveryProcess) {
    EXPECT_EQ(view(hex(key_of(""))), "99aa06d3014798d86001c324468d497f");
    EXPECT_NE(key_of("a"), key_of("b"));
}

TEST(CacheKey, UrlHasSchemeAndHostInLowerCaseAndNoUsualPort) {
    std::string url;
    append_url(url, "http", "App.Example.COM:80", "/A?b=C");
    EXPECT_EQ(url, "http://app.example.com/A?b=C");
    url.clear();
    append_url(url, "https", "a:80", "/");
    EXPECT_EQ(url, "https://a:80/");
}

TEST(CacheChunk, CountsOnItsBudgetUntilTheLastOneLetsGo) {
    const auto budget = std::make_shared<MemoryBudget>(1000);
    auto chunk = Chunk::make(budget, 500);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->append("hello"), 5U);
    EXPECT_GE(budget->used(), 500U);
    EXPECT_FALSE(Chunk::make(budget, 500)) << "the limit holds";
    ChunkPtr shared = chunk;
    chunk.reset();
    EXPECT_EQ(shared->bytes(), "hello");
    EXPECT_GE(budget->used(), 500U);
    shared.reset();
    EXPECT_EQ(budget->used(), 0U);
}

TEST(CacheChunk, TakesWhatFits) {
    auto chunk = Chunk::make(nullptr, 4);
    EXPECT_EQ(chunk->append("abc"), 3U);
    EXPECT_EQ(chunk->append("def"), 1U);
    EXPECT_EQ(chunk->bytes(), "abcd");
}

TEST(CacheEntry, FieldsAreKeptInOrder) {
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->add_field("ETag", "\"1\"");
    head->add_field("X-A", "1");
    head->add_field("X-A", "2");
    head->seal();
    ASSERT_EQ(head->fields().size(), 3U);
    EXPECT_EQ(head->field(http::FieldId::etag), "\"1\"");
    EXPECT_EQ(head->fields()[2].value, "2");
    EXPECT_TRUE(head->has(http::FieldId::etag));
    auto copy = head->copy();
    copy->add_field("Age", "1");
    copy->seal();
    EXPECT_EQ(copy->fields().size(), 4U);
    EXPECT_EQ(copy->fields()[0].value, "\"1\"");
    EXPECT_GT(head->memory(), sizeof(StoredHead));
}

TEST(CacheSelector, MeansWhatItSays) {
    StoredHead head;
    head.key_text = "custom";
    head.url = "http://a/x/1";
    head.tags = "one two";
    const auto matches = [&](Selector::Kind kind, const char* text) {
        Selector selector;
        selector.kind = kind;
        selector.text = text;
        return selector.matches(head);
    };
    EXPECT_TRUE(matches(Selector::Kind::url, "http://a/x/1"));
    EXPECT_FALSE(matches(Selector::Kind::url, "http://a/x"));
    EXPECT_TRUE(matches(Selector::Kind::prefix, "http://a/x"));
    EXPECT_TRUE(matches(Selector::Kind::tag, "two"));
    EXPECT_FALSE(matches(Selector::Kind::tag, "tw"));
    EXPECT_TRUE(matches(Selector::Kind::all, ""));
}

}  // namespace
}  // namespace proxyd::cache
