// RFC 9111, as far as it is a question of what the fields say: a row a requirement. What needs a
// wire is in tests/integration/cache_rfc9111_test.cpp.
#include <gtest/gtest.h>

#include "proxyd/cache/reuse.hpp"
#include "proxyd/cache/storable.hpp"
#include "proxyd/cache/vary.hpp"
#include "proxyd/http/fields/conditional.hpp"
#include "proxyd/http/fields/range.hpp"

namespace proxyd::cache {
namespace {

using Fields = std::vector<std::pair<const char*, const char*>>;

constexpr UnixMilliseconds kNow = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kMinuteAgo = "Sun, 06 Nov 1994 08:48:37 GMT";
constexpr const char* kMinuteAhead = "Sun, 06 Nov 1994 08:50:37 GMT";

http::HeaderMap map_of(const Fields& fields) {
    http::HeaderMap map;
    for (const auto& [name, value] : fields) map.add(name, value);
    return map;
}

Judgement judged(const Fields& fields, int status = 200, bool authorized = false,
                 std::optional<std::int64_t> valid = std::nullopt) {
    const http::HeaderMap map = map_of(fields);
    Answer answer;
    answer.status = status;
    answer.fields = &map;
    answer.authorized = authorized;
    answer.valid = valid;
    answer.asked_at = answer.received_at = kNow;
    return judge(answer);
}

struct StorageRow {
    const char* section;
    const char* must;
    Fields fields;
    Storable expected;
    int status = 200;
    bool authorized = false;
};

TEST(Rfc9111, Storage) {
    const StorageRow rows[] = {
        {"3", "explicit freshness may be stored", {{"Cache-Control", "max-age=60"}}, Storable::yes},
        {"3",
         "any final status with explicit freshness",
         {{"Cache-Control", "max-age=60"}},
         Storable::yes,
         599},
        {"3", "interim answers never", {{"Cache-Control", "max-age=60"}}, Storable::status, 103},
        {"3",
         "206 is not understood as a whole",
         {{"Cache-Control", "max-age=60"}},
         Storable::status,
         206},
        {"3",
         "304 is no answer to store",
         {{"Cache-Control", "max-age=60"}},
         Storable::status,
         304},
        {"3", "nothing says how long", {}, Storable::no_lifetime},
        {"3",
         "validators alone say nothing of time",
         {{"ETag", "\"1\""}, {"Last-Modified", kMinuteAgo}},
         Storable::no_lifetime},
        {"3.5",
         "Authorization without permission",
         {{"Cache-Control", "max-age=60"}},
         Storable::authorization,
         200,
         true},
        {"3.5",
         "Authorization with public",
         {{"Cache-Control", "public, max-age=60"}},
         Storable::yes,
         200,
         true},
        {"4.1", "Vary: * matches nothing", {{"Cache-Control", "max-age=60"}}, Storable::yes},
        {"4.2.1",
         "s-maxage before max-age",
         {{"Cache-Control", "max-age=0, s-maxage=60"}},
         Storable::yes},
        {"4.2.1",
         "s-maxage=0 before max-age",
         {{"Cache-Control", "max-age=60, s-maxage=0"}},
         Storable::expired},
        {"4.2.1",
         "invalid times are stale",
         {{"Cache-Control", "max-age=soon"}},
         Storable::expired},
        {"4.2.1",
         "of two times the shorter",
         {{"Cache-Control", "max-age=60, max-age=0"}},
         Storable::expired},
        {"4.2.3",
         "an old Date is an age",
         {{"Date", kMinuteAgo}, {"Cache-Control", "max-age=60"}},
         Storable::expired},
        {"4.2.3",
         "Age counts",
         {{"Age", "60"}, {"Cache-Control", "max-age=60"}},
         Storable::expired},
        {"5.1",
         "an Age that is no number is ignored",
         {{"Age", "x"}, {"Cache-Control", "max-age=60"}},
         Storable::yes},
        {"5.2.2.2",
         "must-revalidate may be stored",
         {{"Cache-Control", "must-revalidate, max-age=60"}},
         Storable::yes},
        {"5.2.2.3",
         "must-understand, unknown status",
         {{"Cache-Control", "must-understand, max-age=60"}},
         Storable::status,
         299},
        {"5.2.2.3",
         "must-understand ignores no-store",
         {{"Cache-Control", "must-understand, no-store, max-age=60"}},
         Storable::yes},
        {"5.2.2.4", "no-cache", {{"Cache-Control", "no-cache, max-age=60"}}, Storable::no_cache},
        {"5.2.2.4",
         "no-cache with fields",
         {{"Cache-Control", "no-cache=\"a, b\", max-age=60"}},
         Storable::no_cache},
        {"5.2.2.5", "no-store", {{"Cache-Control", "no-store, max-age=60"}}, Storable::no_store},
        {"5.2.2.7", "private", {{"Cache-Control", "private, max-age=60"}}, Storable::is_private},
        {"5.2.2.7",
         "private with fields",
         {{"Cache-Control", "private=\"x\", max-age=60"}},
         Storable::is_private},
        {"5.2.2.7",
         "in whatever case",
         {{"Cache-Control", "PRIVATE, Max-Age=60"}},
         Storable::is_private},
        {"5.2.3",
         "unknown directives are ignored",
         {{"Cache-Control", "community=\"private, x\", max-age=60"}},
         Storable::yes},
        {"5.3", "Expires", {{"Date", kDate}, {"Expires", kMinuteAhead}}, Storable::yes},
        {"5.3",
         "Expires in the past",
         {{"Date", kDate}, {"Expires", kMinuteAgo}},
         Storable::expired},
        {"5.3", "an invalid Expires is the past", {{"Expires", "0"}}, Storable::expired},
        {"5.3",
         "max-age before Expires",
         {{"Cache-Control", "max-age=60"}, {"Expires", "0"}},
         Storable::yes},
        {"7.3",
         "Set-Cookie is nobody else's",
         {{"Cache-Control", "public, max-age=60"}, {"Set-Cookie", "a=b"}},
         Storable::set_cookie},
        {"RFC 9213 2.1",
         "the targeted field goes first",
         {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}},
         Storable::yes},
        {"RFC 9213 2.1",
         "and forbids alone",
         {{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "max-age=60"}},
         Storable::no_store},
        {"RFC 9213 2.1",
         "Expires does not count beside it",
         {{"CDN-Cache-Control", "public"}, {"Expires", kMinuteAhead}},
         Storable::no_lifetime},
        {"RFC 9213 2.1",
         "one that is not valid is ignored",
         {{"CDN-Cache-Control", "Max Age"}, {"Cache-Control", "max-age=60"}},
         Storable::yes},
        {"RFC 5861 3",
         "stale on arrival, but of use",
         {{"Cache-Control", "max-age=0, stale-while-revalidate=60"}},
         Storable::yes},
        {"nginx",
         "X-Accel-Expires goes first",
         {{"X-Accel-Expires", "60"}, {"Cache-Control", "no-cache, max-age=0"}},
         Storable::yes},
        {"nginx",
         "X-Accel-Expires: 0",
         {{"X-Accel-Expires", "0"}, {"Cache-Control", "max-age=60"}},
         Storable::no_store},
        {"nginx", "X-Accel-Expires as a date", {{"X-Accel-Expires", "@784111837"}}, Storable::yes},
        {"nginx",
         "but not before private",
         {{"X-Accel-Expires", "60"}, {"Cache-Control", "private"}},
         Storable::is_private},
    };
    for (const StorageRow& row : rows) {
        EXPECT_EQ(judged(row.fields, row.status, row.authorized).storable, row.expected)
            << row.section << ": " << row.must;
    }
}

TEST(Rfc9111, TheOperatorsTimeIsOnlyForAnswersThatSayNothing) {
    EXPECT_EQ(judged({}, 200, false, 5'000).validity.lifetime, 5'000);
    EXPECT_EQ(judged({{"Cache-Control", "max-age=60"}}, 200, false, 5'000).validity.lifetime,
              60'000);
    // An origin whose clock is behind does not make it void.
    EXPECT_EQ(judged({{"Date", kMinuteAgo}}, 200, false, 5'000).storable, Storable::yes);
}

struct ReuseRow {
    const char* section;
    const char* must;
    const char* answer;   ///< Cache-Control of a stored answer
    const char* request;  ///< Cache-Control of the request
    int after;            ///< seconds since it was stored
    Reuse expected;
};

TEST(Rfc9111, Reuse) {
    const ReuseRow rows[] = {
        {"4.2", "fresh until its lifetime", "max-age=60", "", 59, Reuse::fresh},
        {"4.2", "and not at it", "max-age=60", "", 60, Reuse::validate},
        {"5.2.1.1", "max-age of the request", "max-age=60", "max-age=10", 11, Reuse::validate},
        {"5.2.1.1", "equal is young enough", "max-age=60", "max-age=10", 10, Reuse::fresh},
        {"5.2.1.2", "max-stale", "max-age=60", "max-stale=10", 70, Reuse::stale},
        {"5.2.1.2", "but no more", "max-age=60", "max-stale=10", 71, Reuse::validate},
        {"5.2.1.2", "without a value: any", "max-age=60", "max-stale", 100'000, Reuse::stale},
        {"5.2.1.3", "min-fresh", "max-age=60", "min-fresh=30", 31, Reuse::validate},
        {"5.2.1.3", "min-fresh met", "max-age=60", "min-fresh=30", 30, Reuse::fresh},
        {"5.2.1.4", "no-cache of the request", "max-age=60", "no-cache", 0, Reuse::validate},
        {"5.2.2.2", "must-revalidate beats max-stale", "max-age=60, must-revalidate", "max-stale",
         61, Reuse::validate},
        {"5.2.2.8", "proxy-revalidate too", "max-age=60, proxy-revalidate", "max-stale", 61,
         Reuse::validate},
        {"5.2.2.10", "s-maxage too", "s-maxage=60", "max-stale", 61, Reuse::validate},
        {"RFC 8246 2", "a reload of what is immutable", "max-age=60, immutable", "max-age=0", 10,
         Reuse::fresh},
        {"RFC 8246 2", "only while it is fresh", "max-age=60, immutable", "max-age=0", 60,
         Reuse::validate},
    };
    for (const ReuseRow& row : rows) {
        const Validity validity = judged({{"Cache-Control", row.answer}}).validity;
        const http::HeaderMap request = map_of({{"Cache-Control", row.request}});
        EXPECT_EQ(
            judge_reuse(validity, http::request_cache_control(request), kNow + row.after * 1000),
            row.expected)
            << row.section << ": " << row.must;
    }
    EXPECT_TRUE(http::request_cache_control(map_of({{"Pragma", "no-cache"}})).no_cache) << "5.4";
    EXPECT_FALSE(http::request_cache_control(
                     map_of({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=1"}}))
                     .no_cache)
        << "5.4";
}

TEST(Rfc5861, StaleAnswers) {
    const auto validity = [](const char* control) {
        return judged({{"Cache-Control", control}}).validity;
    };
    const Validity plain = validity("max-age=1"), strict = validity("max-age=1, must-revalidate"),
                   kind = validity("max-age=1, stale-while-revalidate=10, stale-if-error=20"),
                   shared = validity("s-maxage=1, stale-while-revalidate=10");
    EXPECT_FALSE(stale_while_revalidate(plain, false, kNow + 2'000));
    EXPECT_TRUE(stale_while_revalidate(plain, true, kNow + 2'000));
    EXPECT_FALSE(stale_while_revalidate(strict, true, kNow + 2'000));
    EXPECT_TRUE(stale_while_revalidate(kind, false, kNow + 10'999));
    EXPECT_FALSE(stale_while_revalidate(kind, false, kNow + 11'000));
    EXPECT_TRUE(stale_while_revalidate(shared, false, kNow + 2'000));
    EXPECT_TRUE(stale_if_error(kind, false, {}, kNow + 20'999));
    EXPECT_FALSE(stale_if_error(kind, false, {}, kNow + 21'000));
    EXPECT_FALSE(stale_if_error(strict, true, {}, kNow + 2'000));
    http::CacheControl asked;
    asked.stale_if_error = 5;
    EXPECT_TRUE(stale_if_error(plain, false, asked, kNow + 2'000));
    asked.no_cache = true;
    EXPECT_FALSE(stale_if_error(plain, true, asked, kNow + 2'000));
}

TEST(Rfc9111, SoftPurgeMakesStale) {
    Validity validity =
        judged({{"Cache-Control", "max-age=60, stale-while-revalidate=10"}}).validity;
    validity.expired_at = kNow + 1'000;
    EXPECT_FALSE(is_fresh(validity, kNow + 1'000));
    EXPECT_TRUE(stale_while_revalidate(validity, false, kNow + 10'000));
}

TEST(Rfc9111, Vary) {
    EXPECT_EQ(vary_names(map_of({{"Vary", "b, A"}, {"Vary", "a"}})), "a,b");
    EXPECT_EQ(vary_names(map_of({})), "");
    EXPECT_EQ(vary_names(map_of({{"Vary", "a, *"}})), std::nullopt);
    EXPECT_TRUE(vary_covers("a,b", "a"));
    EXPECT_FALSE(vary_covers("a", "a,b"));
    const auto variant = [](const Fields& fields) {
        std::string text;
        append_variant(text, "u", "accept-language,x", 7, map_of(fields));
        return text;
    };
    EXPECT_EQ(variant({{"Accept-Language", "de,  en"}}),
              variant({{"accept-language", "de"}, {"Accept-Language", "en"}}));
    EXPECT_NE(variant({{"X", ""}}), variant({}));
    EXPECT_NE(variant({{"X", "1"}}), variant({{"Accept-Language", "1"}}));
}

TEST(Rfc9111, FresheningAStoredAnswer) {
    const http::HeaderMap first =
        map_of({{"ETag", "\"1\""}, {"X-A", "1"}, {"Content-Type", "a/b"}, {"Date", kMinuteAgo}});
    Answer answer;
    answer.status = 200;
    answer.fields = &first;
    answer.received_at = kNow;
    const auto stored = make_head(answer, {});
    const http::HeaderMap second = map_of({{"ETag", "\"1\""},
                                           {"X-A", "2"},
                                           {"X-B", "3"},
                                           {"Date", kDate},
                                           {"Content-Type", "x/y"},
                                           {"Set-Cookie", "a=b"},
                                           {"Content-Length", "0"}});
    answer.status = 304;
    answer.fields = &second;
    const auto fresh = freshen(*stored, answer);
    ASSERT_TRUE(fresh);
    const http::HeaderMap fields = fields_of(*fresh);
    EXPECT_EQ(fields.get("X-A"), "2") << "3.2";
    EXPECT_EQ(fields.get("X-B"), "3");
    EXPECT_EQ(fields.get("Date"), kDate);
    EXPECT_EQ(fields.get("Content-Type"), "a/b");
    EXPECT_FALSE(fields.get("Set-Cookie"));
    EXPECT_FALSE(fields.get("Content-Length"));
    EXPECT_EQ(fresh->status, 200);
    const http::HeaderMap other = map_of({{"ETag", "\"2\""}});
    answer.fields = &other;
    EXPECT_FALSE(freshen(*stored, answer)) << "4.3.4";
}

TEST(Rfc9111, WhatIsNotStoredOfAnAnswer) {
    const http::HeaderMap map = map_of({{"Connection", "x"},
                                        {"Age", "5"},
                                        {"X-Accel-Expires", "5"},
                                        {"Surrogate-Key", "a b"},
                                        {"Cache-Tag", "c,d"},
                                        {"X", "1"}});
    Answer answer;
    answer.status = 200;
    answer.fields = &map;
    answer.received_at = kNow;
    const auto head = make_head(answer, {});
    EXPECT_EQ(head->tags, "a b c d");
    EXPECT_EQ(head->fields().size(), 3U) << "Cache-Tag, X and the Date that was missing";
    EXPECT_EQ(head->field(http::FieldId::date), kDate);
}

TEST(Rfc9110, Conditions) {
    const http::Validators stored{"W/\"1\"", kMinuteAgo, kDate};
    const auto same = [&](const Fields& fields) {
        return http::is_not_modified(map_of(fields), stored, kNow / 1000);
    };
    EXPECT_TRUE(same({{"If-None-Match", "\"1\""}}));
    EXPECT_TRUE(same({{"If-None-Match", "\"a,b\", \"1\""}}));
    EXPECT_TRUE(same({{"If-None-Match", "*"}}));
    EXPECT_FALSE(same({{"If-None-Match", "\"2\""}, {"If-Modified-Since", kDate}}));
    EXPECT_TRUE(same({{"If-Modified-Since", kMinuteAgo}}));
    EXPECT_FALSE(same({{"If-Modified-Since", "yesterday"}}));
    EXPECT_FALSE(http::range_applies(map_of({{"If-Range", "W/\"1\""}}), stored, kNow / 1000));
    EXPECT_TRUE(http::range_applies(map_of({{"If-Range", kMinuteAgo}}), stored, kNow / 1000));
    EXPECT_FALSE(http::range_applies(map_of({{"If-Range", kDate}}), stored, kNow / 1000));
}

TEST(Rfc9110, Ranges) {
    using Kind = http::Ranges::Kind;
    const auto kind = [](const char* text, std::uint64_t size = 10) {
        return http::parse_range(text, size).kind;
    };
    EXPECT_EQ(http::parse_range("bytes=2-4, -3", 10).list,
              (std::vector<http::ByteRange>{{2, 4}, {7, 9}}));
    EXPECT_EQ(http::parse_range("bytes=-100", 10).list, (std::vector<http::ByteRange>{{0, 9}}));
    EXPECT_EQ(kind("bytes=0-18446744073709551999"), Kind::partial);
    for (const char* text : {"bytes=4-2", "lines=1-2", "bytes=", "bytes=a-b", "bytes=--1", "bytes",
                             "bytes=0-9,0-9", "bytes=1-2-3"}) {
        EXPECT_EQ(kind(text), Kind::whole) << text;
    }
    EXPECT_EQ(kind("bytes=10-"), Kind::unsatisfiable);
    EXPECT_EQ(kind("bytes=-0"), Kind::unsatisfiable);
    EXPECT_EQ(kind("bytes=0-", 0), Kind::unsatisfiable);
    std::string many = "bytes=0-0";
    for (int i = 1; i < 1000; ++i) many += ",0-0";
    EXPECT_EQ(http::parse_range(many, 100'000).kind, Kind::whole);
}

}  // namespace
}  // namespace proxyd::cache
