// RFC 9111 on the wire: a row a requirement, written from the text. Each is two requests for one
// URL; what the second one gets shows whether the first answer was stored and used.
// tests/unit/cache/rfc9111_test.cpp has the rows that are a question of fields and times alone.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace proxyd::test {
namespace {

std::string config() {
    return "caches: { pages: { memory: 16m } }\nhosts:\n  \"*\":\n    upstream: "
           "\"127.0.0.1:@UP1@\"\n    cache: pages\n";
}

struct Row {
    const char* section;
    const char* must;
    Headers answer;
    std::string first;  ///< field lines of the requests
    std::string second;
    bool reused;  ///< the second one is answered with the first one's body
    const char* method = "GET";
};

const Row kRows[] = {
    {"3",
     "an answer with explicit freshness is reused",
     {{"Cache-Control", "max-age=60"}},
     "",
     "",
     true},
    {"3", "one without is not", {}, "", "", false},
    {"3",
     "the method has to be understood",
     {{"Cache-Control", "max-age=60"}},
     "",
     "",
     false,
     "OPTIONS"},
    {"3",
     "POST's answers answer nobody else",
     {{"Cache-Control", "max-age=60"}},
     "",
     "",
     false,
     "POST"},
    {"3.5",
     "Authorization's answers are not shared",
     {{"Cache-Control", "max-age=60"}},
     "Authorization: Basic eDp5\r\n",
     "",
     false},
    {"3.5",
     "not even with the same user",
     {{"Cache-Control", "max-age=60"}},
     "Authorization: Basic eDp5\r\n",
     "Authorization: Basic eDp5\r\n",
     false},
    {"3.5",
     "public opens them",
     {{"Cache-Control", "max-age=60, public"}},
     "Authorization: Basic eDp5\r\n",
     "",
     true},
    {"4",
     "what is stored for all answers the authorised too",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Authorization: Basic eDp5\r\n",
     true},
    {"4.1",
     "Vary: the same field matches",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "X-A: 1\r\n",
     "X-A: 1\r\n",
     true},
    {"4.1",
     "another value does not",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "X-A: 1\r\n",
     "X-A: 2\r\n",
     false},
    {"4.1",
     "absence is a value",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "",
     "X-A: 1\r\n",
     false},
    {"4.1",
     "absent in both matches",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "",
     "",
     true},
    {"4.1",
     "blanks in a list do not matter",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "X-A: a,b\r\n",
     "X-A: a, b\r\n",
     true},
    {"4.1",
     "lines of one field are one list",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "X-A: a, b\r\n",
     "X-A: a\r\nX-A: b\r\n",
     true},
    {"4.1",
     "all named fields count",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A, X-B"}},
     "X-A: 1\r\nX-B: 1\r\n",
     "X-A: 1\r\nX-B: 2\r\n",
     false},
    {"4.1",
     "others do not",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}},
     "X-B: 1\r\n",
     "X-B: 2\r\n",
     true},
    {"4.1",
     "Vary: * never matches",
     {{"Cache-Control", "max-age=60"}, {"Vary", "*"}},
     "",
     "",
     false},
    {"4.2.1",
     "s-maxage goes before max-age",
     {{"Cache-Control", "s-maxage=60, max-age=0"}},
     "",
     "",
     true},
    {"4.2.1",
     "max-age before Expires",
     {{"Cache-Control", "max-age=60"}, {"Expires", "0"}},
     "",
     "",
     true},
    {"4.2.3",
     "Age on arrival counts",
     {{"Cache-Control", "max-age=60"}, {"Age", "100"}},
     "",
     "",
     false},
    {"5.2.1.1",
     "max-age of the request",
     {{"Cache-Control", "max-age=60"}, {"Age", "30"}},
     "",
     "Cache-Control: max-age=10\r\n",
     false},
    {"5.2.1.1",
     "and one that is met",
     {{"Cache-Control", "max-age=60"}, {"Age", "30"}},
     "",
     "Cache-Control: max-age=50\r\n",
     true},
    {"5.2.1.3",
     "min-fresh",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Cache-Control: min-fresh=100\r\n",
     false},
    {"5.2.1.3",
     "and one that is met",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Cache-Control: min-fresh=10\r\n",
     true},
    {"5.2.1.4",
     "no-cache of the request",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Cache-Control: no-cache\r\n",
     false},
    {"5.4",
     "Pragma: no-cache where there is no Cache-Control",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Pragma: no-cache\r\n",
     false},
    {"5.4",
     "but only there",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Pragma: no-cache\r\nCache-Control: max-age=60\r\n",
     true},
    {"5.2.1.5",
     "no-store of the request keeps its answer out",
     {{"Cache-Control", "max-age=60"}},
     "Cache-Control: no-store\r\n",
     "",
     false},
    {"5.2.1.7",
     "only-if-cached takes what is there",
     {{"Cache-Control", "max-age=60"}},
     "",
     "Cache-Control: only-if-cached\r\n",
     true},
    {"5.2.2.4",
     "no-cache of the answer",
     {{"Cache-Control", "no-cache, max-age=60"}},
     "",
     "",
     false},
    {"5.2.2.4",
     "in the form with fields",
     {{"Cache-Control", "no-cache=\"x\", max-age=60"}},
     "",
     "",
     false},
    {"5.2.2.5",
     "no-store of the answer",
     {{"Cache-Control", "no-store, max-age=60"}},
     "",
     "",
     false},
    {"5.2.2.7", "private", {{"Cache-Control", "private, max-age=60"}}, "", "", false},
    {"5.2.2.7",
     "on a line of its own",
     {{"Cache-Control", "max-age=60"}, {"Cache-Control", "private"}},
     "",
     "",
     false},
    {"5.2.2.9", "public alone says no time", {{"Cache-Control", "public"}}, "", "", false},
    {"5.2.3",
     "an unknown directive changes nothing",
     {{"Cache-Control", "max-age=60, x=\"no-store, y\""}},
     "",
     "",
     true},
    {"7.3",
     "cookies are not handed on",
     {{"Cache-Control", "public, max-age=60"}, {"Set-Cookie", "a=b"}},
     "",
     "",
     false},
    {"RFC 9213",
     "the field for caches like us goes first",
     {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}},
     "",
     "",
     true},
    {"RFC 9110 13.1",
     "a precondition for the upstream goes there",
     {{"Cache-Control", "max-age=60"}},
     "",
     "If-Match: \"x\"\r\n",
     false},
    {"RFC 9110 13.1",
     "If-Unmodified-Since too",
     {{"Cache-Control", "max-age=60"}},
     "",
     "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
     false},
};

TEST(CacheRfc9111, Table) {
    std::atomic<int> count = 0;
    FakeUpstream app([&](const Request& request) {
        Reply reply = text_reply("answer " + std::to_string(++count));
        reply.headers = kRows[std::stoul(request.target.substr(1))].answer;
        return reply;
    });
    Daemon daemon(config(), ups(app));
    RawClient client(daemon.http());
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
        const Row& row = kRows[i];
        SCOPED_TRACE(std::string(row.section) + ": " + row.must);
        const auto ask = [&](const std::string& fields) {
            return client.exchange(std::string(row.method) + " /" + std::to_string(i) +
                                   " HTTP/1.1\r\nHost: app.test\r\n" + fields + "\r\n");
        };
        const Response first = ask(row.first), second = ask(row.second);
        EXPECT_EQ(second.status, 200);
        EXPECT_EQ(first.body == second.body, row.reused);
        if (row.reused) {
            EXPECT_TRUE(second.headers.has("Age")) << "4: a reused answer says its age";
        }
    }
}

TEST(CacheRfc9111, OnlyIfCachedWithoutAnything) {  // 5.2.1.7
    FakeUpstream app;
    Daemon daemon(config(), ups(app));
    EXPECT_EQ(get_once(daemon.http(), "/", "Cache-Control: only-if-cached\r\n").status, 504);
    EXPECT_EQ(app.request_count(), 0);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "not_in_cache");
}

TEST(CacheRfc9111, InvalidationOnlyWhenTheUnsafeRequestWorked) {  // 4.4
    std::atomic<int> count = 0, status = 200;
    FakeUpstream app([&](const Request& request) {
        Reply reply = text_reply("answer " + std::to_string(++count));
        reply.headers = {{"Cache-Control", "max-age=60"}};
        if (request.method != "GET") {
            reply.status = status;
            reply.headers = {{"Content-Location", "/other"},
                             {"Location", "http://elsewhere.test/third"}};
        }
        return reply;
    });
    Daemon daemon(config(), ups(app));
    RawClient client(daemon.http());
    const auto get = [&](const char* path) { return client.get(path).body; };
    const std::string one = get("/one"), other = get("/other");
    const Response third = client.get("/third", {}, "elsewhere.test");
    status = 500;
    client.exchange(body_request("DELETE", "/one", ""));
    EXPECT_EQ(get("/one"), one);
    status = 204;
    client.exchange(body_request("PUT", "/one", "x"));
    EXPECT_NE(get("/one"), one);
    EXPECT_NE(get("/other"), other) << "Content-Location on the same host";
    EXPECT_EQ(client.get("/third", {}, "elsewhere.test").body, third.body)
        << "never of another host";
}

TEST(CacheRfc9111, NothingOfOneUserReachesAnother) {
    std::atomic<std::uint64_t> serial = 0;
    FakeUpstream app([&](const Request& request) {
        std::mt19937_64 dice(serial++);
        const auto drawn = [&](unsigned percent) { return dice() % 100 < percent; };
        const std::string user = request.headers.value("Authorization") + "|" +
                                 request.headers.value("Cookie") + "|" +
                                 request.headers.value("X-User");
        Reply reply;
        std::string control = drawn(80) ? "max-age=100" : "";
        bool personal = false;
        if (drawn(40)) control += ", private", personal = true;
        if (drawn(20)) control += ", no-store", personal = true;
        if (drawn(20)) control += ", s-maxage=100";
        if (drawn(20)) control += ", must-revalidate";
        if (drawn(20)) control += ", stale-while-revalidate=100";
        const bool authorised = request.headers.has("Authorization");
        if (authorised) personal = true;
        if (drawn(30)) reply.headers.add("Set-Cookie", "id=1"), personal = true;
        if (drawn(30)) reply.headers.add("Vary", "X-User"), personal = true;
        if (drawn(30)) reply.headers.add("ETag", "\"" + std::to_string(dice() % 3) + "\"");
        reply.headers.add("Cache-Control", control);
        reply.headers.add("X-Personal", personal ? user : "-");
        reply.body = personal ? "for " + user : "for all";
        if (drawn(20)) reply.framing = Reply::Framing::Chunked;
        return reply;
    });
    Daemon daemon(config(), ups(app));
    const auto one_user = [&](unsigned number) {
        std::mt19937_64 dice(number);
        RawClient client(daemon.http());
        int shared = 0;
        for (int i = 0; i < 1500; ++i) {
            std::string fields = "X-User: u" + std::to_string(number) + "\r\n";
            std::string mine = "||u" + std::to_string(number);
            if (dice() % 3 == 0) {
                fields += "Authorization: Bearer " + std::to_string(number) + "\r\n";
                mine.insert(0, "Bearer " + std::to_string(number));
            }
            if (dice() % 3 == 0) {
                fields += "Cookie: c=" + std::to_string(number) + "\r\n";
                mine.insert(mine.find('|') + 1, "c=" + std::to_string(number));
            }
            const Response got = client.get("/" + std::to_string(dice() % 200), fields);
            ASSERT_TRUE(got.complete());
            const std::string personal = got.headers.value("X-Personal");
            // A variant of his own may have been stored without his cookie or token.
            if (personal != "-") {
                EXPECT_TRUE(personal.ends_with("|u" + std::to_string(number))) << personal;
                EXPECT_TRUE(personal.find("Bearer") == std::string::npos || personal == mine)
                    << personal << " for " << mine;
            } else {
                shared += got.headers.value("X-Cache-Status") == "HIT";
            }
            if (got.headers.value("X-Cache-Status") == "HIT") {
                EXPECT_FALSE(got.headers.has("Set-Cookie"));
            }
        }
        EXPECT_GT(shared, 0) << "a cache that never answers proves nothing";
    };
    std::thread second(one_user, 2U);
    one_user(1);
    second.join();
}

}  // namespace
}  // namespace proxyd::test
