// `proxyd cache purge|list|stats`: what is kept is told, made stale and removed.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string config(bool disk) {
    return std::string("workers: 2\ncaches: { pages: { memory: 4m") +
           (disk ? ", path: @TMP@/pages" : "") +
           " }, other: {} }\nhosts:\n  \"*\":\n    upstream: \"127.0.0.1:@UP1@\"\n"
           "    cache: { zone: pages, valid: { 200: 1h } }\n";
}

struct App {
    std::atomic<int> count = 0;
    FakeUpstream upstream{[this](const Request& request) {
        Reply reply = text_reply(request.target + " " + std::to_string(++count));
        reply.headers = {{"Surrogate-Key", "all " + request.target.substr(1, 1)},
                         {"ETag", "\"" + std::to_string(count) + "\""}};
        if (request.target == "/vary") reply.headers.add("Vary", "Accept");
        return reply;
    }};
};

std::string cache_status(const Response& response) {
    return response.headers.value("X-Cache-Status");
}

CliResult order(const Daemon& daemon, std::vector<std::string> words) {
    words.insert(words.begin(), "cache");
    return daemon.cli(std::move(words));
}

Json zone(const Json& all, const std::string& name) {
    for (const Json& each : all["caches"].array()) {
        if (each["name"].text() == name) return each;
    }
    return {};
}

bool on_disk(const Daemon& daemon, double count) {
    return eventually([&] {
        const auto stats = Json::parse(order(daemon, {"stats", "pages", "--json"}).out);
        return stats && (*stats)["caches"].array()[0]["disk"]["entries"].number() == count;
    });
}

class CacheVerb : public testing::TestWithParam<bool> {
  protected:
    void fill(const std::vector<std::string>& paths) {
        for (const auto& path : paths) (void)get_once(daemon.http(), path);
        if (!GetParam()) return;
        ASSERT_TRUE(on_disk(daemon, static_cast<double>(paths.size())));
    }
    [[nodiscard]] std::string again(const std::string& path) {
        return cache_status(get_once(daemon.http(), path));
    }
    /// "N in memory and M on disk".
    [[nodiscard]] std::string counts(int number) const {
        return std::to_string(number) + " in memory and " +
               std::to_string(GetParam() ? number : 0) + " on disk";
    }

    App app;
    Daemon daemon{config(GetParam()), ups(app.upstream)};
};

INSTANTIATE_TEST_SUITE_P(Tiers, CacheVerb, testing::Bool(), [](const auto& tiers) {
    return std::string(tiers.param ? "MemoryAndDisk" : "Memory");
});

TEST_P(CacheVerb, PurgesOneUrl) {
    fill({"/a", "/b"});
    const auto result = order(daemon, {"purge", "pages", "http://APP.test:80/a"});
    EXPECT_EQ(result.exit_code, 0) << result.both();
    EXPECT_EQ(result.out, "proxyd: cache 'pages': " + counts(1) + " purged\n");
    EXPECT_EQ(again("/b"), "HIT");
    EXPECT_EQ(again("/a"), "MISS");
    EXPECT_EQ(again("/a"), "HIT");
}

TEST_P(CacheVerb, PurgesAPrefixAndATag) {
    fill({"/a1", "/a2", "/b1"});
    EXPECT_NE(
        order(daemon, {"purge", "pages", "--prefix", "http://app.test/a"}).out.find(counts(2)),
        std::string::npos);
    EXPECT_EQ(again("/b1"), "HIT");
    EXPECT_EQ(again("/a1"), "MISS");
    EXPECT_EQ(again("/a2"), "MISS");
    ASSERT_TRUE(!GetParam() || on_disk(daemon, 3));
    EXPECT_NE(order(daemon, {"purge", "pages", "--tag", "b"}).out.find(counts(1)),
              std::string::npos);
    EXPECT_EQ(again("/a1"), "HIT");
    EXPECT_EQ(again("/b1"), "MISS");
    EXPECT_NE(order(daemon, {"purge", "pages", "--tag", "none"}).out.find(counts(0)),
              std::string::npos);
}

TEST_P(CacheVerb, ASoftPurgeKeepsItForTheTimeBeing) {
    fill({"/a"});
    const auto result = order(daemon, {"purge", "pages", "--tag", "a", "--soft", "--json"});
    const auto json = Json::parse(result.out);
    ASSERT_TRUE(json) << result.both();
    EXPECT_EQ((*json)["memory"].number(), 1);
    EXPECT_TRUE((*json)["soft"].text() == "true");
    EXPECT_EQ(again("/a"), "EXPIRED");
    EXPECT_TRUE(app.upstream.last_request().headers.has("If-None-Match")) << "it is validated";
    EXPECT_EQ(again("/a"), "HIT");
}

TEST_P(CacheVerb, PurgesEveryVariantOfAnUrl) {
    for (const auto* accept : {"Accept: a\r\n", "Accept: b\r\n"}) {
        (void)get_once(daemon.http(), "/vary", accept);
        EXPECT_EQ(cache_status(get_once(daemon.http(), "/vary", accept)), "HIT");
    }
    EXPECT_EQ(order(daemon, {"purge", "pages", "http://app.test/vary"}).exit_code, 0);
    for (const auto* accept : {"Accept: a\r\n", "Accept: b\r\n"}) {
        EXPECT_EQ(cache_status(get_once(daemon.http(), "/vary", accept)), "MISS");
    }
}

TEST_P(CacheVerb, AFillThatRunsIsPurgedToo) {
    const std::vector<std::vector<std::string>> purges{
        {"http://app.test/x"}, {"--prefix", "http://app.test/"}, {"--tag", "red"}};
    for (const auto& words : purges) {
        SCOPED_TRACE(words[0]);
        Gate gate;
        FakeUpstream slow([&](const Request&) {
            (void)gate.wait();
            Reply reply = text_reply("old");
            reply.headers = {{"Surrogate-Key", "red"}};
            return reply;
        });
        Daemon other(config(GetParam()), ups(slow));
        RawClient client(other.http());
        client.send(get_request("/x"));
        ASSERT_TRUE(eventually([&] {
            const auto stats = Json::parse(order(other, {"stats", "--json"}).out);
            return stats && zone(*stats, "pages")["fills"].number() == 1;
        }));
        std::vector<std::string> purge{"purge", "pages"};
        purge.insert(purge.end(), words.begin(), words.end());
        EXPECT_EQ(order(other, purge).exit_code, 0);
        gate.open();
        EXPECT_EQ(client.read_response().body, "old") << "who asked before is served";
        EXPECT_EQ(cache_status(get_once(other.http(), "/x")), "MISS");
        EXPECT_EQ(cache_status(get_once(other.http(), "/x")), "HIT");
    }
}

TEST_P(CacheVerb, ListsWhatIsKept) {
    fill({"/a", "/b"});
    const auto text = order(daemon, {"list", "pages"});
    EXPECT_EQ(text.exit_code, 0);
    EXPECT_NE(text.out.find("http://app.test/a\n"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find(GetParam() ? " both " : " memory "), std::string::npos);
    EXPECT_NE(text.out.find(" tags all b http://app.test/b"), std::string::npos);
    const auto json = Json::parse(order(daemon, {"list", "--json"}).out);
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["entries"].array().size(), 2U);
    const Json entry = (*json)["entries"].array()[0];
    for (const auto* key :
         {"zone", "url", "status", "bytes", "age", "fresh_for", "tags", "memory", "disk"}) {
        EXPECT_TRUE(entry.has(key)) << key;
    }
    EXPECT_EQ(entry["status"].number(), 200);
    EXPECT_EQ(order(daemon, {"list", "other"}).out, "");
}

TEST_P(CacheVerb, CountsInStatsAndStatus) {
    fill({"/a"});
    (void)get_once(daemon.http(), "/a");
    const auto stats = order(daemon, {"stats", "pages"});
    EXPECT_EQ(stats.exit_code, 0);
    EXPECT_NE(stats.out.find("cache pages: fills running 0\n  memory: entries 1, bytes "),
              std::string::npos)
        << stats.out;
    EXPECT_NE(stats.out.find("requests: MISS 1, HIT 1\n"), std::string::npos) << stats.out;
    EXPECT_EQ(stats.out.find("disk: entries 1, bytes 4096 of ") != std::string::npos, GetParam());
    EXPECT_NE(daemon.cli({"status"}).out.find("cache pages: "), std::string::npos);
    const auto status = Json::parse(daemon.cli({"status", "--json"}).out);
    ASSERT_TRUE(status);
    EXPECT_EQ(zone(*status, "pages")["name"].text(), "pages");
    EXPECT_EQ(zone(*status, "pages")["requests"]["HIT"].number(), 1);
}

TEST_P(CacheVerb, WhatIsNotThereIsSaid) {
    const auto zone = order(daemon, {"purge", "page", "http://app.test/"});
    EXPECT_EQ(zone.exit_code, 1);
    EXPECT_EQ(zone.err, "proxyd: unknown cache 'page': did you mean 'pages'?\n");
    EXPECT_EQ(order(daemon, {"list", "x"}).exit_code, 1);
    EXPECT_EQ(order(daemon, {"stats", "x"}).exit_code, 1);
}

TEST(CacheVerbWords, TheCommandLineIsChecked) {
    const auto err = [](std::vector<std::string> words) {
        words.insert(words.begin(), "cache");
        const auto result = run_proxyd(words);
        EXPECT_EQ(result.exit_code, 2) << result.both();
        return result.err;
    };
    EXPECT_NE(err({}).find("'cache' wants purge, list or stats"), std::string::npos);
    EXPECT_NE(err({"purg", "z"}).find("did you mean 'purge'?"), std::string::npos);
    EXPECT_NE(err({"purge"}).find("wants the name of a cache"), std::string::npos);
    EXPECT_NE(err({"purge", "z"}).find("wants one of a URL, --prefix URL and --tag TAG"),
              std::string::npos);
    EXPECT_NE(err({"purge", "z", "http://a/", "--tag", "t"}).find("wants one of"),
              std::string::npos);
    EXPECT_NE(err({"purge", "z", "/path"}).find("'/path' is no URL"), std::string::npos);
    EXPECT_NE(err({"purge", "z", "--tag", ""}).find("--tag"), std::string::npos)
        << "a variable that is not set must not purge everything";
    EXPECT_NE(err({"purge", "z", "--prefix", ""}).find("--prefix"), std::string::npos);
    EXPECT_NE(err({"list", "z", "--soft"}).find("takes no more"), std::string::npos);
    EXPECT_NE(err({"purge", "z", "http://a/" + std::string(4'000, 'x')}).find("too long"),
              std::string::npos);
    EXPECT_EQ(run_proxyd({"cache", "-h"}).exit_code, 0);
}

}  // namespace
}  // namespace proxyd::test
