// cache: what the operator's keys promise, on the wire.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string cached(std::string_view keys = "valid: { 200: 1h, 404: 1h }",
                   std::string_view rest = "") {
    return "caches: { pages: { memory: 4m } }\nhosts:\n  \"*\":\n    upstream: "
           "\"127.0.0.1:@UP1@\"\n"
           "    cache: { zone: pages, " +
           std::string(keys) + " }\n" + std::string(rest);
}

std::string status_of(const Response& response) {
    return response.headers.value("X-Cache-Status");
}

/// Answers "one", "two", ... with these fields.
struct Counter {
    std::atomic<int> count = 0;
    Headers headers;
    int status = 200;
    FakeUpstream upstream{[this](const Request&) {
        Reply reply = text_reply("answer " + std::to_string(++count), status);
        reply.headers = headers;
        return reply;
    }};
};

TEST(Cache, MissThenHitWithoutAskingTheUpstream) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    const Response miss = get_once(daemon.http(), "/a");
    EXPECT_EQ(miss.body, "answer 1");
    EXPECT_EQ(status_of(miss), "MISS");
    EXPECT_EQ(miss.headers.value("Cache-Status"), "proxyd; fwd=uri-miss; fwd-status=200; stored");
    daemon.wait_for_access(1);  // the next one may be another worker's line
    const Response hit = get_once(daemon.http(), "/a");
    EXPECT_EQ(hit.body, "answer 1");
    EXPECT_EQ(status_of(hit), "HIT");
    EXPECT_TRUE(hit.headers.value("Cache-Status").starts_with("proxyd; hit; ttl="));
    EXPECT_EQ(hit.headers.value("Age"), "0");
    EXPECT_EQ(app.upstream.request_count(), 1);
    EXPECT_EQ(daemon.access(1)["upstream_cache_status"].text(), "HIT");
    EXPECT_EQ(daemon.access(1)["reason"].text(), "cache_hit");
}

TEST(Cache, StatusesWithoutATimeAreNotStored) {
    Counter app;
    app.status = 500;
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    EXPECT_EQ(get_once(daemon.http(), "/a").body, "answer 2");
    EXPECT_EQ(app.upstream.request_count(), 2);
}

TEST(Cache, ATimeAloneIsForTheUsualStatuses) {
    Counter app;
    app.status = 404;
    Daemon daemon(cached("valid: 1h"), ups(app.upstream));
    get_once(daemon.http(), "/a");
    get_once(daemon.http(), "/a");
    EXPECT_EQ(app.upstream.request_count(), 2);
}

TEST(Cache, WhatTheAnswerForbidsIsNotStored) {
    for (const char* control : {"private", "no-store", "no-cache", "max-age=0"}) {
        SCOPED_TRACE(control);
        Counter app;
        app.headers = {{"Cache-Control", control}};
        Daemon daemon(cached(), ups(app.upstream));
        EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "MISS");
        EXPECT_EQ(get_once(daemon.http(), "/a").body, "answer 2");
    }
    Counter app;
    app.headers = {{"Set-Cookie", "a=b"}, {"Cache-Control", "public, max-age=100"}};
    Daemon daemon(cached(), ups(app.upstream));
    const Response first = get_once(daemon.http(), "/a");
    EXPECT_EQ(first.headers.value("Set-Cookie"), "a=b");
    EXPECT_NE(first.headers.value("Cache-Status").find("detail=set-cookie"), std::string::npos);
    EXPECT_EQ(get_once(daemon.http(), "/a").body, "answer 2");
}

TEST(Cache, AuthorizedAnswersAreSharedOnlyWhenPublic) {
    for (const bool is_public : {false, true}) {
        Counter app;
        app.headers = {{"Cache-Control", is_public ? "public, max-age=100" : "max-age=100"}};
        Daemon daemon(cached(), ups(app.upstream));
        get_once(daemon.http(), "/a", "Authorization: Bearer one\r\n");
        EXPECT_EQ(get_once(daemon.http(), "/a").body, is_public ? "answer 1" : "answer 2");
    }
}

TEST(Cache, VariantsAreKeptApart) {
    FakeUpstream app([](const Request& request) {
        Reply reply = text_reply("in " + request.headers.value("Accept-Language"));
        reply.headers = {{"Vary", "Accept-Language"}, {"Cache-Control", "max-age=100"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 20; ++i) {
            const std::string language = "l" + std::to_string(i);
            const Response got =
                get_once(daemon.http(), "/a", "Accept-Language: " + language + "\r\n");
            EXPECT_EQ(got.body, "in " + language);
            EXPECT_EQ(status_of(got), round == 0 ? "MISS" : "HIT");
        }
    }
    EXPECT_EQ(app.request_count(), 20);
}

TEST(Cache, HeadIsAnsweredFromAGet) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    RawClient client(daemon.http());
    const Response head = client.exchange("HEAD /a HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD");
    EXPECT_EQ(status_of(head), "HIT");
    EXPECT_EQ(head.headers.value("Content-Length"), "8");
    EXPECT_EQ(client.get("/a").body, "answer 1");
    EXPECT_EQ(app.upstream.request_count(), 1);
}

TEST(Cache, ConditionsAreAnsweredFromTheCache) {
    Counter app;
    app.headers = {{"ETag", "\"v1\""}, {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    const Response same = get_once(daemon.http(), "/a", "If-None-Match: \"x\", W/\"v1\"\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.headers.value("ETag"), "\"v1\"");
    EXPECT_EQ(get_once(daemon.http(), "/a", "If-None-Match: \"x\"\r\n").status, 200);
    EXPECT_EQ(get_once(daemon.http(), "/a", "If-Modified-Since: Mon, 07 Nov 1994 08:49:37 GMT\r\n")
                  .status,
              304);
    EXPECT_EQ(app.upstream.request_count(), 1);
    // On a miss the upstream is asked for all of it.
    EXPECT_EQ(get_once(daemon.http(), "/b", "If-None-Match: \"v1\"\r\n").status, 304);
    EXPECT_FALSE(app.upstream.last_request().headers.has("If-None-Match"));
}

TEST(Cache, RangesComeFromTheStoredWhole) {
    FakeUpstream app([](const Request&) {
        Reply reply = text_reply("0123456789");
        reply.headers = {{"ETag", "\"v1\""}, {"Content-Type", "text/plain"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    const Response first = get_once(daemon.http(), "/a", "Range: bytes=2-4\r\n");
    EXPECT_EQ(first.status, 206);
    EXPECT_EQ(first.body, "234");
    EXPECT_FALSE(app.last_request().headers.has("Range"));
    const Response last = get_once(daemon.http(), "/a", "Range: bytes=-3\r\n");
    EXPECT_EQ(last.body, "789");
    EXPECT_EQ(last.headers.value("Content-Range"), "bytes 7-9/10");
    EXPECT_EQ(status_of(last), "HIT");
    const Response several = get_once(daemon.http(), "/a", "Range: bytes=0-0,5-6\r\n");
    EXPECT_EQ(several.status, 206);
    EXPECT_TRUE(
        several.headers.value("Content-Type").starts_with("multipart/byteranges; boundary="));
    EXPECT_NE(several.body.find("Content-Range: bytes 5-6/10\r\n\r\n56\r\n--"), std::string::npos);
    EXPECT_TRUE(several.complete());
    const Response outside = get_once(daemon.http(), "/a", "Range: bytes=10-\r\n");
    EXPECT_EQ(outside.status, 416);
    EXPECT_EQ(outside.headers.value("Content-Range"), "bytes */10");
    EXPECT_EQ(get_once(daemon.http(), "/a", "Range: bytes=0-1\r\nIf-Range: \"v2\"\r\n").status,
              200);
    EXPECT_EQ(get_once(daemon.http(), "/a", "Range: bytes=0-1\r\nIf-Range: \"v1\"\r\n").status,
              206);
    EXPECT_EQ(app.request_count(), 1);
}

TEST(Cache, PartsAreNotStoredAsWholes) {
    FakeUpstream app([](const Request&) {
        Reply reply = text_reply("abc", 206);
        reply.headers = {{"Content-Range", "bytes 0-2/10"}, {"Cache-Control", "max-age=100"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    get_once(daemon.http(), "/a");
    get_once(daemon.http(), "/a");
    EXPECT_EQ(app.request_count(), 2);
}

TEST(Cache, ExpiredAnswersAreValidated) {
    FakeUpstream app([](const Request& request) {
        Reply reply = text_reply("body");
        reply.headers = {{"ETag", "\"v1\""}, {"Cache-Control", "max-age=1"}, {"X-Round", "1"}};
        if (request.headers.value("If-None-Match") == "\"v1\"") {
            reply = text_reply("", 304);
            reply.framing = Reply::Framing::None;
            reply.headers = {
                {"ETag", "\"v1\""}, {"Cache-Control", "max-age=100"}, {"X-Round", "2"}};
        }
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    get_once(daemon.http(), "/a");
    Response got;
    ASSERT_TRUE(eventually([&] {
        got = get_once(daemon.http(), "/a");
        return status_of(got) != "HIT";
    }));
    EXPECT_EQ(status_of(got), "REVALIDATED");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "body");
    EXPECT_EQ(got.headers.value("X-Round"), "2");
    EXPECT_EQ(got.headers.value("Cache-Status"), "proxyd; fwd=stale; fwd-status=304; stored");
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "HIT");
    EXPECT_EQ(app.request_count(), 2);
}

TEST(Cache, ExpiredAnswersAreReplaced) {
    Counter app;
    app.headers = {{"Cache-Control", "max-age=1"}};
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    Response got;
    ASSERT_TRUE(eventually([&] {
        got = get_once(daemon.http(), "/a");
        return status_of(got) != "HIT";
    }));
    EXPECT_EQ(status_of(got), "EXPIRED");
    EXPECT_EQ(got.body, "answer 2");
}

TEST(Cache, ClientsCanAskForAFreshAnswerUnlessTold) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    EXPECT_EQ(get_once(daemon.http(), "/a", "Cache-Control: no-cache\r\n").body, "answer 2");
    EXPECT_EQ(get_once(daemon.http(), "/a", "Pragma: no-cache\r\n").body, "answer 3");
    EXPECT_EQ(get_once(daemon.http(), "/a").body, "answer 3");
    const Response none = get_once(daemon.http(), "/b", "Cache-Control: only-if-cached\r\n");
    EXPECT_EQ(none.status, 504);
    EXPECT_EQ(app.upstream.request_count(), 3);
    EXPECT_EQ(get_once(daemon.http(), "/a", "Cache-Control: only-if-cached\r\n").body, "answer 3");

    Counter quiet;
    Daemon ignoring(cached("valid: 1h, client_cache_control: ignore"), ups(quiet.upstream));
    get_once(ignoring.http(), "/a");
    EXPECT_EQ(get_once(ignoring.http(), "/a", "Cache-Control: no-cache\r\n").body, "answer 1");
}

TEST(Cache, UnsafeMethodsMakeTheStoredAnswerInvalid) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    RawClient client(daemon.http());
    client.get("/a");
    client.exchange(body_request("POST", "/a", "x"));
    EXPECT_EQ(client.get("/a").body, "answer 3");
}

TEST(Cache, BypassAndNoStore) {
    Counter app;
    Daemon daemon(cached("valid: 1h, bypass: [$http_x_fresh], no_store: [$arg_private]"),
                  ups(app.upstream));
    get_once(daemon.http(), "/a");
    const Response around = get_once(daemon.http(), "/a", "X-Fresh: 1\r\n");
    EXPECT_EQ(status_of(around), "BYPASS");
    EXPECT_EQ(around.body, "answer 2");
    EXPECT_EQ(get_once(daemon.http(), "/a", "X-Fresh: 0\r\n").body, "answer 1");
    get_once(daemon.http(), "/b?private=1");
    EXPECT_EQ(get_once(daemon.http(), "/b?private=1").body, "answer 4");
}

TEST(Cache, MinUses) {
    Counter app;
    Daemon daemon(cached("valid: 1h, min_uses: 3"), ups(app.upstream));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "MISS");
    }
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "HIT");
    EXPECT_EQ(app.upstream.request_count(), 3);
}

TEST(Cache, StaleIsBetterThanAnError) {
    std::atomic<bool> broken = false;
    FakeUpstream app([&](const Request&) {
        Reply reply = text_reply("body", broken ? 503 : 200);
        if (!broken) reply.headers = {{"Cache-Control", "max-age=1"}};
        return reply;
    });
    Daemon daemon(cached("use_stale: [error, http_503]"), ups(app));
    get_once(daemon.http(), "/a");
    broken = true;
    Response got;
    ASSERT_TRUE(eventually([&] {
        got = get_once(daemon.http(), "/a");
        return status_of(got) != "HIT";
    }));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(status_of(got), "STALE");
    app.stop();
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "STALE");
    EXPECT_EQ(get_once(daemon.http(), "/b").status, 502);
}

// The variant is chosen by the request as the upstream gets it: it is made once.
TEST(Cache, WhatGoesPastTheCacheHasEachFieldOnce) {
    Counter app;
    app.headers = {{"Vary", "Accept-Language"}, {"Cache-Control", "max-age=100"}};
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a", "Accept-Language: de\r\n");
    RawClient client(daemon.http());
    client.send("HEAD /a HTTP/1.1\r\nHost: app.test\r\nAccept-Language: en\r\nCookie: a=b\r\n\r\n");
    EXPECT_EQ(client.read_response("HEAD").status, 200);
    const Request seen = app.upstream.last_request();
    EXPECT_EQ(seen.method, "HEAD");
    for (const char* name : {"Host", "Accept-Language", "Cookie", "X-Forwarded-For", "Via"}) {
        EXPECT_EQ(seen.headers.count(name), 1U) << name;
    }
}

TEST(Cache, NobodyWaitsForABackgroundUpdate) {
    Gate go;
    std::atomic<int> count = 0;
    FakeUpstream app([&](const Request&) {
        const int number = ++count;
        if (number == 2) {
            EXPECT_TRUE(go.wait());
        }
        Reply reply = text_reply("answer " + std::to_string(number));
        reply.headers = {{"Cache-Control",
                          number == 1 ? "max-age=1, stale-while-revalidate=100" : "max-age=100"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    get_once(daemon.http(), "/a");
    Response got;
    ASSERT_TRUE(eventually([&] {
        got = get_once(daemon.http(), "/a");
        return status_of(got) != "HIT";
    }));
    EXPECT_EQ(status_of(got), "STALE");
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "UPDATING");
    EXPECT_TRUE(app.wait_for_heads(2));
    go.open();
    ASSERT_TRUE(eventually([&] { return status_of(get_once(daemon.http(), "/a")) == "HIT"; }));
    EXPECT_EQ(get_once(daemon.http(), "/a").body, "answer 2");
    EXPECT_EQ(app.request_count(), 2);
}

TEST(Cache, OffMeansNoFieldAndNoCache) {
    Counter app;
    Daemon daemon(cached("valid: 1h", "    locations: { /: {}, /live/: { cache: off } }\n"),
                  ups(app.upstream));
    get_once(daemon.http(), "/live/a");
    const Response got = get_once(daemon.http(), "/live/a");
    EXPECT_EQ(got.body, "answer 2");
    EXPECT_FALSE(got.headers.has("X-Cache-Status"));
    EXPECT_EQ(get_once(daemon.http(), "/a").body, get_once(daemon.http(), "/a").body);
}

TEST(Cache, ResponseRulesAndPrivateFieldsArePerClient) {
    Counter app;
    app.headers = {{"X-Accel-Expires", "100"}, {"Surrogate-Key", "one two"}};
    Daemon daemon(
        cached("status_header: X-Cache", "    response_headers: { set: { X-Id: $request_id } }\n"),
        ups(app.upstream));
    const Response first = get_once(daemon.http(), "/a");
    const Response second = get_once(daemon.http(), "/a");
    EXPECT_EQ(second.headers.value("X-Cache"), "HIT");
    EXPECT_NE(first.headers.value("X-Id"), second.headers.value("X-Id"));
    EXPECT_FALSE(second.headers.has("X-Accel-Expires"));
    EXPECT_FALSE(second.headers.has("Surrogate-Key"));
}

TEST(Cache, SurvivesAReloadThatDoesNotChangeTheZone) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    daemon.reload(cached("valid: 2h"));
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "HIT");
    std::string other = cached();
    other.replace(other.find("4m"), 2, "5m");
    daemon.reload(other);
    EXPECT_EQ(status_of(get_once(daemon.http(), "/a")), "MISS");
}

TEST(Cache, CutAnswersAreNeitherStoredNorCompleted) {
    std::atomic<int> count = 0;
    FakeUpstream app([&](const Request&) {
        if (++count > 1) return text_reply("whole answer");
        return raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true);
    });
    Daemon daemon(cached(), ups(app));
    EXPECT_FALSE(get_once(daemon.http(), "/a").complete());
    const Response got = get_once(daemon.http(), "/a");
    EXPECT_EQ(got.body, "whole answer");
    EXPECT_EQ(status_of(got), "MISS");
}

TEST(Cache, ABodyBehindAHitIsNeverTakenForARequest) {
    Counter app;
    Daemon daemon(cached(), ups(app.upstream));
    get_once(daemon.http(), "/a");
    RawClient client(daemon.http());
    client.send(body_request("GET", "/a", "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n"));
    client.read_response();
    for (const Request& request : app.upstream.requests()) {
        EXPECT_EQ(request.target, "/a");
    }
}

TEST(Cache, MemoryIsNeverExceeded) {
    FakeUpstream app([](const Request&) { return text_reply(std::string(100'000, 'x')); });
    Daemon daemon(cached(), ups(app));
    RawClient client(daemon.http());
    for (int i = 0; i < 200; ++i) client.get("/" + std::to_string(i));
    const std::size_t before = daemon.rss_kib();
    for (int i = 200; i < 1000; ++i)
        EXPECT_EQ(client.get("/" + std::to_string(i)).body_size, 100'000U);
    EXPECT_EQ(status_of(client.get("/999")), "HIT");
    EXPECT_EQ(status_of(client.get("/200")), "MISS");
    if (!daemon.sanitized()) {
        EXPECT_LT(daemon.rss_kib(), before + 4'096);
    }
}

}  // namespace
}  // namespace proxyd::test
