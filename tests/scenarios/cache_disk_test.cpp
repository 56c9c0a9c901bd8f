// caches with a path: what outlives a restart, a kill, a reload and a disk that fails.
#include "support/daemon.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

namespace proxyd::test {
namespace {

namespace fs = std::filesystem;

/// A zone in a directory that outlives the daemon.
std::string on_disk(const fs::path& path, std::string_view keys = "memory: 1m") {
    return "workers: 2\ncaches: { pages: { path: " + path.string() + ", " + std::string(keys) +
           " } }\nhosts:\n  \"*\":\n    upstream: \"127.0.0.1:@UP1@\"\n"
           "    cache: { zone: pages, valid: { 200: 1h } }\n";
}

std::string cache_status(const Response& response) {
    return response.headers.value("X-Cache-Status");
}

/// The body for a path: its number of bytes stands in it, its content follows from the path.
std::string body_for(const std::string& path) {
    const std::size_t size = std::stoul(path.substr(path.rfind('/') + 1));
    std::string body;
    for (std::size_t i = 0; body.size() < size; ++i) body += path + ":" + std::to_string(i) + "\n";
    body.resize(size);
    return body;
}

struct App {
    FakeUpstream upstream{[](const Request& request) {
        Reply reply = text_reply(body_for(request.target));
        reply.headers = {{"ETag", "\"" + request.target + "\""}, {"Surrogate-Key", "all red"}};
        if (request.target.find("chunked") != std::string::npos) {
            reply.framing = Reply::Framing::Chunked;
        }
        return reply;
    }};
};

std::size_t entries_on_disk(const Daemon& daemon) {
    const auto stats = Json::parse(daemon.cli({"cache", "stats", "--json"}).out);
    return stats
               ? static_cast<std::size_t>((*stats)["caches"].array()[0]["disk"]["entries"].number())
               : 0;
}

bool stored(const Daemon& daemon, std::size_t count) {
    return eventually([&] { return entries_on_disk(daemon) == count; });
}

TEST(CacheOnDisk, AHitAfterARestart) {
    App app;
    const TempDir disk;
    const std::vector<std::string> paths{"/a/10", "/b/70000", "/chunked/200000", "/c/0"};
    {
        Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
        for (const auto& path : paths) {
            EXPECT_EQ(cache_status(get_once(daemon.http(), path)), "MISS") << path;
        }
        ASSERT_TRUE(stored(daemon, paths.size()));
    }
    Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
    for (const auto& path : paths) {
        const Response hit = get_once(daemon.http(), path);
        EXPECT_EQ(cache_status(hit), "HIT") << path;
        EXPECT_TRUE(hit.body == body_for(path)) << path;
        EXPECT_EQ(hit.headers.value("ETag"), "\"" + path + "\"");
        EXPECT_FALSE(hit.headers.has("Surrogate-Key"));
    }
    EXPECT_EQ(app.upstream.request_count(), static_cast<int>(paths.size()));
}

TEST(CacheOnDisk, WhatIsLargerThanMemoryGoesToDiskAsItComes) {
    App app;
    const TempDir disk;
    Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
    std::size_t kept = 0;
    for (const std::string path : {"/a/3000000", "/chunked/3000000", "/chunked/260000"}) {
        SCOPED_TRACE(path);
        const Response miss = get_once(daemon.http(), path);
        EXPECT_EQ(cache_status(miss), "MISS");
        EXPECT_TRUE(miss.body == body_for(path));
        ASSERT_TRUE(stored(daemon, ++kept));
        const Response hit = get_once(daemon.http(), path);
        EXPECT_EQ(cache_status(hit), "HIT");
        EXPECT_TRUE(hit.body == body_for(path));
    }
    EXPECT_EQ(app.upstream.request_count(), 3);
}

TEST(CacheOnDisk, MaxObjectSizeHoldsForTheDiskToo) {
    App app;
    const TempDir disk;
    Daemon daemon(on_disk(disk.path() / "z", "memory: 1m, max_object_size: 1m"), ups(app.upstream));
    for (const std::string path : {"/a/2000000", "/chunked/2000000"}) {
        EXPECT_TRUE(get_once(daemon.http(), path).body == body_for(path));
        EXPECT_EQ(cache_status(get_once(daemon.http(), path)), "MISS") << path;
    }
    EXPECT_EQ(entries_on_disk(daemon), 0U);
}

TEST(CacheOnDisk, RangesAndHeadFromDisk) {
    App app;
    const TempDir disk;
    {
        Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
        (void)get_once(daemon.http(), "/a/200000");
        ASSERT_TRUE(stored(daemon, 1));
    }
    Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
    const Response part = get_once(daemon.http(), "/a/200000", "Range: bytes=150000-150099\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, body_for("/a/200000").substr(150'000, 100));
    RawClient client(daemon.http());
    const Response head =
        client.exchange("HEAD /a/200000 HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD");
    EXPECT_EQ(cache_status(head), "HIT");
    EXPECT_EQ(head.headers.value("Content-Length"), "200000");
    EXPECT_EQ(client.get("/a/10").body, body_for("/a/10"));
}

TEST(CacheOnDisk, AReloadKeepsTheFilesWhateverTheZoneBecomes) {
    App app;
    const TempDir disk;
    Daemon daemon(on_disk(disk.path() / "z"), ups(app.upstream));
    (void)get_once(daemon.http(), "/a/100000");
    ASSERT_TRUE(stored(daemon, 1));
    // The same zone, another size, another name.
    daemon.reload(on_disk(disk.path() / "z") + "via: off\n");
    EXPECT_EQ(cache_status(get_once(daemon.http(), "/a/100000")), "HIT");
    daemon.reload(on_disk(disk.path() / "z", "memory: 2m, max_size: 1m"));
    const Response hit = get_once(daemon.http(), "/a/100000");
    EXPECT_EQ(cache_status(hit), "HIT");
    EXPECT_TRUE(hit.body == body_for("/a/100000"));
    const auto stats = Json::parse(daemon.cli({"cache", "stats", "--json"}).out);
    ASSERT_TRUE(stats);
    EXPECT_EQ((*stats)["caches"].array()[0]["disk"]["max_bytes"].number(), 1 << 20);
    EXPECT_EQ(app.upstream.request_count(), 1);
}

TEST(CacheOnDisk, AReloadThatIsRefusedCostsNothing) {
    App app;
    const auto config = [](const std::string& memory) {
        return "caches: { pages: { memory: " + memory +
               " } }\nhosts:\n  \"*\":\n    upstream: \"127.0.0.1:@UP1@\"\n"
               "    cache: { zone: pages, valid: { 200: 1h } }\n";
    };
    Daemon daemon(config("1m"), ups(app.upstream));
    (void)get_once(daemon.http(), "/a/10");
    const FakeUpstream taken([](const Request&) { return text_reply(""); });
    daemon.write_config(config("2m") +
                        "listeners: { http: \"127.0.0.1:@HTTP@\", other: \"127.0.0.1:" +
                        std::to_string(taken.port()) + "\" }\n");
    EXPECT_EQ(daemon.cli({"-s", "reload"}).exit_code, 1);
    daemon.reload(config("1m") + "via: off\n");
    EXPECT_EQ(cache_status(get_once(daemon.http(), "/a/10")), "HIT") << "the zone of before";
    EXPECT_EQ(app.upstream.request_count(), 1);
}

/// Killed again and again while it fills: what is served afterwards is always whole.
TEST(CacheOnDisk, KilledDuringFillsItNeverServesHalfABody) {
    App app;
    const TempDir disk;
    std::mt19937 random(11);
    std::vector<std::string> paths;
    for (int i = 0; i < 40; ++i) {
        paths.push_back((i % 3 == 0 ? "/chunked" : "/p") + std::to_string(i) + "/" +
                        std::to_string(random() % 150'000));
    }
    int hits = 0;
    for (int round = 0; round < 8; ++round) {
        Daemon daemon(on_disk(disk.path() / "z", "memory: 4m"), ups(app.upstream));
        const std::size_t until = random() % paths.size() + 5;
        for (std::size_t i = 0; i < until && i < paths.size(); ++i) {
            const std::string& path = paths[(i * 7 + static_cast<std::size_t>(round)) % 40];
            const Response got = get_once(daemon.http(), path);
            ASSERT_EQ(got.status, 200);
            ASSERT_TRUE(got.body == body_for(path)) << path;
            hits += cache_status(got) == "HIT" ? 1 : 0;
        }
        RawClient last(daemon.http());
        last.send(get_request(paths[static_cast<std::size_t>(round)]));
        daemon.signal(SIGKILL);
        (void)daemon.wait_exit();
    }
    EXPECT_GT(hits, 0);
    Daemon daemon(on_disk(disk.path() / "z", "memory: 4m"), ups(app.upstream));
    for (const auto& path : paths) {
        ASSERT_TRUE(get_once(daemon.http(), path).body == body_for(path)) << path;
    }
    // Nothing is left of what was cut off.
    EXPECT_TRUE(eventually([&] {
        for (const auto& each : fs::recursive_directory_iterator(disk.path())) {
            if (each.path().filename().string().starts_with("tmp-")) return false;
        }
        return true;
    }));
}

TEST(CacheOnDisk, ADirectoryThatCannotBeIsSaidAndTrafficGoesOn) {
    App app;
    const TempDir disk;
    std::ofstream(disk.path() / "z") << "a file";
    Daemon daemon(on_disk(disk.path() / "z", "memory: 1m"), ups(app.upstream));
    EXPECT_TRUE(daemon.wait_for_log("cache 'pages': cannot write below"));
    EXPECT_TRUE(daemon.wait_for_log("Not a directory"));
    for (int i = 0; i < 3; ++i) {
        const Response got = get_once(daemon.http(), "/a/100");
        EXPECT_EQ(got.body, body_for("/a/100"));
        EXPECT_EQ(cache_status(got), i == 0 ? "MISS" : "HIT") << "memory holds it";
    }
    fs::remove(disk.path() / "z");
    EXPECT_TRUE(eventually([&, i = 0]() mutable {
        (void)get_once(daemon.http(), "/b" + std::to_string(++i) + "/10");
        return daemon.log().find("can be written again") != std::string::npos;
    }));
}

/// Needs the right to mount.
TEST(CacheOnDisk, AFullDiskStopsNothing) {
    App app;
    const TempDir disk;
    const fs::path small = disk.path() / "small";
    fs::create_directory(small);
    if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=600k") != 0) {
        GTEST_SKIP() << "no right to mount a file system";
    }
    {
        Daemon daemon(on_disk(small, "memory: 4m"), ups(app.upstream));
        (void)get_once(daemon.http(), "/first/10");
        const std::size_t before = daemon.open_files() + 4;  // connections to the upstream
        for (int i = 0; i < 60; ++i) {
            const std::string path = "/p" + std::to_string(i) + "/50000";
            const Response got = get_once(daemon.http(), path);
            ASSERT_TRUE(got.body == body_for(path));
        }
        EXPECT_TRUE(daemon.wait_for_log("No space left on device"));
        EXPECT_TRUE(eventually([&] { return daemon.open_files() <= before; }));
        // Said once.
        const std::string log = daemon.log();
        const auto first = log.find("No space left");
        EXPECT_EQ(log.find("No space left", first + 1), std::string::npos);
        EXPECT_EQ(daemon.cli({"cache", "purge", "pages", "--prefix", "http://app.test/"}).exit_code,
                  0);
        EXPECT_TRUE(eventually([&, i = 0]() mutable {
            (void)get_once(daemon.http(), "/again" + std::to_string(++i) + "/10");
            return daemon.log().find("can be written again") != std::string::npos;
        }));
    }
    ::umount(small.c_str());
}

TEST(CacheOnDisk, WhatNobodyUsesLeavesTheDisk) {
    App app;
    const TempDir disk;
    Daemon daemon(on_disk(disk.path() / "z", "memory: 1m, inactive: 1s"), ups(app.upstream));
    (void)get_once(daemon.http(), "/a/100");
    ASSERT_TRUE(stored(daemon, 1));
    EXPECT_TRUE(stored(daemon, 0));
}

TEST(CacheOnDisk, MaxSizeHolds) {
    App app;
    const TempDir disk;
    Daemon daemon(on_disk(disk.path() / "z", "memory: 1m, max_size: 1m"), ups(app.upstream));
    for (int i = 0; i < 100; ++i) {
        (void)get_once(daemon.http(), "/p" + std::to_string(i) + "/40000");
    }
    std::uint64_t bytes = 0;
    for (const auto& each : fs::recursive_directory_iterator(disk.path())) {
        if (each.is_regular_file()) bytes += each.file_size();
    }
    EXPECT_LE(bytes, (1 << 20) + 2 * 45'000);
    EXPECT_GT(bytes, 500'000U);
}

}  // namespace
}  // namespace proxyd::test
