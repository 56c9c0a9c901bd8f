// The disk tier through the interface that the cache uses: on one loop, with a directory of its
// own.
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "cache/disk/file_writer.hpp"
#include "cache/disk/purge_file.hpp"
#include "cache/disk/tree.hpp"
#include "cache/disk/writer.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/cache/disk_stores.hpp"
#include "support/gate.hpp"
#include "support/temp_dir.hpp"

namespace proxyd::cache {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Kind = Selector::Kind;
using test::eventually;

ChunkPtr chunk(std::string_view bytes) {
    auto made = Chunk::make(nullptr, bytes.size());
    made->append(bytes);
    return made;
}

std::string noise(std::size_t bytes, unsigned seed = 1) {
    std::string text(bytes, '\0');
    std::mt19937 random(seed);
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

boost::intrusive_ptr<StoredHead> head_of(const std::string& url, std::uint64_t body = 0,
                                         const std::string& tags = "") {
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->key_text = url;
    head->key = key_of(url);
    head->status = 200;
    head->validity.stored_at = 1'700'000'000'000;
    head->validity.lifetime = 60'000;
    head->tags = tags;
    head->body_size = body;
    head->add_field("Content-Type", "text/plain");
    head->seal();
    return head;
}

class DiskStoreTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open(const std::function<void(DiskOptions&)>& change = {}) {
        DiskOptions options;
        options.zone = "z";
        options.path = root();
        if (change) change(options);
        store = stores->open(options);
    }
    /// As a new process does.
    void restart(const std::function<void(DiskOptions&)>& change = {}) {
        store.reset();
        stores.reset();
        stores = std::make_unique<DiskStores>(threads);
        open(change);
    }
    [[nodiscard]] std::string root() const { return temp.path().string() + "/zone"; }
    [[nodiscard]] std::string path(const std::string& url) const {
        return disk::Tree(root(), {1, 2}).path(key_of(url));
    }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for (const auto& each : fs::recursive_directory_iterator(root())) {
            count += each.is_directory() ? 0 : 1;
        }
        return count;
    }

    template <class Function>
    void run(Function&& function) {
        async::TaskScope scope;
        scope.spawn(function());
        while (scope.size() != 0) loop.io().run_one_for(10s);
    }

    /// Begun, given its body in pieces, and committed.
    void put(const std::string& url, std::string_view body, const std::string& tags = "",
             std::size_t piece = 50'000) {
        auto writer = store->write(loop, head_of(url, 0, tags), UINT64_MAX);
        ASSERT_TRUE(writer);
        run([&]() -> Task<void> {
            for (std::size_t at = 0; at < body.size(); at += piece) {
                auto next = chunk(body.substr(at, piece));
                co_await writer->append(std::move(next));
            }
        });
        writer->commit(head_of(url, body.size(), tags));
        writer.reset();
    }
    /// The same, and it is there.
    void stored(const std::string& url, std::string_view body, const std::string& tags = "") {
        put(url, body, tags);
        ASSERT_TRUE(settled());
        ASSERT_TRUE(fs::exists(path(url))) << url;
    }
    /// Every job of the pool that was there has ended: this one comes back behind them.
    [[nodiscard]] bool settled() const {
        std::promise<void> done;
        store->for_each([](const StoredHead&) { return true; }, [&done] { done.set_value(); });
        return done.get_future().wait_for(10s) == std::future_status::ready;
    }

    struct Got {
        HeadPtr head;
        std::string body;
        bool cut = false;
        explicit operator bool() const { return static_cast<bool>(head); }
    };
    Got get(const std::string& url, std::uint64_t from = 0) {
        Got got;
        run([&]() -> Task<void> {
            const auto reader = co_await store->open(loop, key_of(url), url);
            if (!reader) co_return;
            got.head = reader->head();
            if (from != 0) reader->seek(from);
            for (;;) {
                const auto piece = co_await reader->read();
                got.cut = !piece.ok();
                if (got.cut || !*piece) co_return;
                got.body += (*piece)->bytes();
            }
        });
        return got;
    }
    std::uint64_t purge(Kind kind, const std::string& text, bool soft = false) {
        std::promise<std::uint64_t> count;
        store->purge(Selector{kind, text, soft},
                     [&count](std::uint64_t number) { count.set_value(number); });
        return count.get_future().get();
    }
    [[nodiscard]] bool loaded() const {
        return eventually([this] { return !store->counts().loading; });
    }

    static constexpr unsigned threads = 1;  // jobs end in the order they came
    test::TempDir temp;
    async::Loop loop;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
        boost::asio::make_work_guard(loop.io());
    std::unique_ptr<DiskStores> stores = std::make_unique<DiskStores>(threads);
    std::shared_ptr<CacheStore> store;
};

TEST_F(DiskStoreTest, GivesBackWhatItWasGiven) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{65'536},
                                   std::size_t{200'000}, std::size_t{5'000'000}}) {
        const std::string url = "http://a.test/" + std::to_string(size);
        const std::string body = noise(size);
        stored(url, body);
        const Got got = get(url);
        ASSERT_TRUE(got) << size;
        EXPECT_FALSE(got.cut);
        EXPECT_TRUE(got.body == body) << size;
        EXPECT_EQ(got.head->key_text, url);
        EXPECT_EQ(got.head->body_size, size);
        EXPECT_EQ(got.head->field(http::FieldId::content_type), "text/plain");
    }
    EXPECT_EQ(store->counts().entries, 5U);
    EXPECT_FALSE(get("http://a.test/other"));
    EXPECT_TRUE(loaded());
    EXPECT_FALSE(store->may_hold(key_of("http://a.test/other")));
    EXPECT_TRUE(store->may_hold(key_of("http://a.test/10")));
}

TEST_F(DiskStoreTest, ReadsFromAnyPlaceOn) {
    const std::string body = noise(400'000);
    stored("http://a.test/", body);
    for (const std::size_t from : {1U, 65'535U, 65'536U, 70'000U, 131'072U, 200'001U, 399'999U}) {
        const Got got = get("http://a.test/", from);
        EXPECT_TRUE(got.body == body.substr(from)) << from;
    }
}

TEST_F(DiskStoreTest, AKeyWithAnotherTextIsAMiss) {
    stored("http://a.test/", "x");
    run([&]() -> Task<void> {
        const auto reader =
            co_await store->open(loop, key_of("http://a.test/"), "http://other.test/");
        EXPECT_FALSE(reader);
    });
    EXPECT_TRUE(get("http://a.test/"));
}

TEST_F(DiskStoreTest, ANewAnswerTakesThePlaceOfTheOld) {
    stored("http://a.test/", noise(100'000));
    const std::uint64_t before = store->counts().bytes;
    stored("http://a.test/", "new");
    EXPECT_EQ(get("http://a.test/").body, "new");
    EXPECT_EQ(store->counts().entries, 1U);
    EXPECT_LT(store->counts().bytes, before);
    EXPECT_EQ(store->counts().bytes, 4096U);
    EXPECT_EQ(files(), 1U);
}

TEST_F(DiskStoreTest, WhoReadsTheOldOneReadsItToItsEnd) {
    const std::string body = noise(2'000'000);
    stored("http://a.test/", body);
    std::string got;
    run([&]() -> Task<void> {
        const auto reader = co_await store->open(loop, key_of("http://a.test/"), "http://a.test/");
        EXPECT_TRUE(reader);
        for (;;) {
            const auto piece = co_await reader->read();
            EXPECT_TRUE(piece.ok());
            if (!piece.ok() || !*piece) co_return;
            got += (*piece)->bytes();
            store->remove(key_of("http://a.test/"));
        }
    });
    EXPECT_TRUE(got == body);
    EXPECT_FALSE(get("http://a.test/"));
}

TEST_F(DiskStoreTest, AnAbandonedFillLeavesNothing) {
    for (const std::size_t size : {std::size_t{10}, std::size_t{300'000}}) {
        auto writer = store->write(loop, head_of("http://a.test/"), UINT64_MAX);
        const std::string body = noise(size);
        run([&]() -> Task<void> {
            auto piece = chunk(body);
            co_await writer->append(std::move(piece));
        });
        writer.reset();
        ASSERT_TRUE(eventually([this] { return store->counts().bytes == 0; }));
        ASSERT_TRUE(settled());
        EXPECT_FALSE(get("http://a.test/"));
        EXPECT_EQ(fs::exists(root()) ? files() : 0, 0U);
    }
}

TEST_F(DiskStoreTest, AnEntryOutlivesTheProcess) {
    const std::string body = noise(300'000);
    stored("http://a.test/", body);
    stored("http://a.test/2", "two", "red");
    const StoreCounts before = store->counts();
    restart();
    EXPECT_TRUE(get("http://a.test/").body == body);
    EXPECT_TRUE(loaded());
    EXPECT_EQ(store->counts().entries, 2U);
    EXPECT_EQ(store->counts().bytes, before.bytes);
    EXPECT_TRUE(get("http://a.test/").body == body);
    EXPECT_TRUE(eventually([this] { return purge(Kind::tag, "red") == 1; })) << "its tags too";
    EXPECT_FALSE(get("http://a.test/2"));
}

TEST_F(DiskStoreTest, IsThereBeforeTheScanHasReachedIt) {
    stored("http://a.test/", "x");
    // The scan takes its time with these.
    const std::string name = path("http://a.test/");
    for (int i = 0; i < 20'000; ++i) {
        const std::string url = "http://a.test/" + std::to_string(i);
        fs::create_directories(fs::path(path(url)).parent_path());
        fs::create_hard_link(name, path(url));
    }
    restart();
    EXPECT_EQ(get("http://a.test/").body, "x");
    EXPECT_TRUE(loaded());
    // They are not what their names say.
    EXPECT_TRUE(eventually([this] { return store->counts().entries == 1; }));
    EXPECT_EQ(get("http://a.test/").body, "x");
}

TEST_F(DiskStoreTest, WhatIsBrokenIsAMissAndGoesAway) {
    stored("http://a.test/small", "small");
    stored("http://a.test/head", noise(100'000));
    const auto damage = [this](const std::string& url, std::uint64_t at) {
        std::fstream file(path(url), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at));
        file.put('\x7f');
    };
    damage("http://a.test/small", 515);
    damage("http://a.test/head", 70);
    for (const auto* url : {"http://a.test/small", "http://a.test/head"}) {
        EXPECT_FALSE(get(url)) << url;
        EXPECT_FALSE(fs::exists(path(url)));
    }
    EXPECT_EQ(store->counts().entries, 0U);
    EXPECT_EQ(store->counts().bytes, 0U);
    // Deep in a body that is on its way already: the reader is told.
    stored("http://a.test/large", noise(1'000'000));
    damage("http://a.test/large", 900'000);
    const Got got = get("http://a.test/large");
    EXPECT_TRUE(got.cut);
    EXPECT_LT(got.body.size(), 900'000U);
    EXPECT_TRUE(got.body == noise(1'000'000).substr(0, got.body.size()));
    EXPECT_FALSE(get("http://a.test/large"));
}

TEST_F(DiskStoreTest, WhatLiesAroundIsTidiedOrLeftAlone) {
    stored("http://a.test/", "x");
    stored("http://a.test/torn", noise(70'000));
    fs::resize_file(path("http://a.test/torn"), 60'000);
    const std::string version = path("http://a.test/version");
    fs::create_directories(fs::path(version).parent_path());
    fs::copy_file(path("http://a.test/"), version);
    {
        std::fstream file(version, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(8);
        file.put(2);
    }
    const std::string left_over = root() + "/0/00/tmp-0123456789abcdef0123456789abcdef";
    fs::create_directories(root() + "/0/00");
    std::ofstream(left_over) << "half";
    std::ofstream(root() + "/README") << "mine";
    std::ofstream(root() + "/0/tmp-mine") << "mine";
    fs::create_directories(root() + "/lost+found");
    fs::create_symlink("/etc/passwd", root() + "/0/0123456789abcdef0123456789abcdef");
    restart();
    EXPECT_TRUE(eventually([&] { return store->counts().entries == 1; }));
    EXPECT_EQ(get("http://a.test/").body, "x");
    EXPECT_TRUE(eventually([&] { return !fs::exists(version) && !fs::exists(left_over); }));
    EXPECT_FALSE(fs::exists(path("http://a.test/torn")));
    EXPECT_TRUE(fs::exists(root() + "/README"));
    EXPECT_TRUE(fs::exists(root() + "/0/tmp-mine"));
    EXPECT_TRUE(fs::exists(root() + "/lost+found"));
    EXPECT_TRUE(fs::is_symlink(root() + "/0/0123456789abcdef0123456789abcdef"));
}

TEST_F(DiskStoreTest, OtherLevelsMoveTheFiles) {
    stored("http://a.test/", "x");
    const std::string old = path("http://a.test/");
    restart([](DiskOptions& options) { options.levels = {2}; });
    EXPECT_TRUE(loaded());
    EXPECT_EQ(get("http://a.test/").body, "x");
    EXPECT_FALSE(fs::exists(old));
}

TEST_F(DiskStoreTest, TheSameDirectoryIsSharedByStores) {
    stored("http://a.test/", "x");
    const auto former = store;
    open([](DiskOptions& options) { options.levels = {2}; });
    EXPECT_EQ(get("http://a.test/").body, "x");
    stores->set_limits(root(), {12'288, 60s});
    EXPECT_EQ(store->counts().max_bytes, 12'288U);
    EXPECT_EQ(former->counts().max_bytes, 12'288U);
    store->remove(key_of("http://a.test/"));
    ASSERT_TRUE(loaded());
    EXPECT_FALSE(former->may_hold(key_of("http://a.test/")));
}

TEST_F(DiskStoreTest, MaxSizeIsKeptAsItIsWritten) {
    constexpr std::uint64_t kLimit = 1'000'000;
    restart([](DiskOptions& options) { options.limits.max_size = kLimit; });
    ASSERT_TRUE(loaded());
    std::uint64_t most = 0;
    for (int i = 0; i < 200; ++i) {
        put("http://a.test/" + std::to_string(i), noise(30'000, static_cast<unsigned>(i)));
        most = std::max(most, store->counts().bytes);
    }
    ASSERT_TRUE(settled());
    std::uint64_t bytes = 0;
    for (const auto& each : fs::recursive_directory_iterator(root())) {
        if (each.is_regular_file()) bytes += (each.file_size() + 4095) / 4096 * 4096;
    }
    EXPECT_LE(bytes, kLimit);
    EXPECT_EQ(bytes, store->counts().bytes) << "the accounting is exact";
    EXPECT_LE(most, kLimit + 36'864) << "by at most one object";
    EXPECT_EQ(store->counts().entries, files());
    EXPECT_GT(files(), 20U);
    EXPECT_TRUE(get("http://a.test/199")) << "the newest stay";
    EXPECT_FALSE(get("http://a.test/0"));
    // Larger than everything: it costs nobody his place for long, and nothing is left of it.
    EXPECT_FALSE(store->write(loop, head_of("http://a.test/huge"), kLimit + 1));
    put("http://a.test/huge", noise(1'500'000));
    ASSERT_TRUE(settled());
    EXPECT_FALSE(get("http://a.test/huge"));
    ASSERT_TRUE(eventually([this] { return store->counts().entries == files(); }));
}

TEST_F(DiskStoreTest, TheLongestUnusedGoesFirst) {
    restart([](DiskOptions& options) { options.limits.max_size = 3 * 4096; });
    ASSERT_TRUE(loaded());
    for (const auto* url : {"1", "2", "3"}) stored(url, "x");
    store->touch(key_of("1"));
    EXPECT_TRUE(get("2"));
    stored("4", "x");
    EXPECT_FALSE(get("3"));
    EXPECT_TRUE(get("1"));
    EXPECT_TRUE(get("2"));
    EXPECT_TRUE(get("4"));
}

TEST_F(DiskStoreTest, WhatNobodyUsesGoes) {
    restart([](DiskOptions& options) { options.limits.inactive = 300ms; });
    stored("http://a.test/", "x");
    EXPECT_TRUE(eventually([this] { return store->counts().entries == 0 && files() == 0; }));
    EXPECT_FALSE(get("http://a.test/"));
}

TEST_F(DiskStoreTest, ANewHeadKeepsTheBody) {
    const std::string body = noise(300'000);
    stored("http://a.test/", body);
    auto fresh = head_of("http://a.test/", body.size());
    fresh->validity.stored_at += 5'000;
    store->update(fresh);
    ASSERT_TRUE(settled());
    EXPECT_EQ(get("http://a.test/").head->validity.stored_at, fresh->validity.stored_at);
    EXPECT_TRUE(get("http://a.test/").body == body);
    // One that does not fit where the old one was.
    auto large = fresh->copy();
    large->add_field("X-Large", std::string(3'000, 'x'));
    large->seal();
    store->update(large);
    ASSERT_TRUE(settled());
    EXPECT_EQ(get("http://a.test/").head->fields().size(), 2U);
    EXPECT_TRUE(get("http://a.test/").body == body);
    EXPECT_EQ(files(), 1U);
    restart();
    EXPECT_EQ(get("http://a.test/").head->fields().size(), 2U);
    EXPECT_TRUE(get("http://a.test/").body == body);
}

TEST_F(DiskStoreTest, AHeadOfAnotherBodyChangesNothing) {
    stored("http://a.test/", "new body");
    auto other = head_of("http://a.test/", 3);
    other->status = 404;
    store->update(other);
    store->update(head_of("http://a.test/nothing", 0));
    ASSERT_TRUE(settled());
    EXPECT_EQ(get("http://a.test/").head->status, 200);
    EXPECT_FALSE(get("http://a.test/nothing"));
}

TEST_F(DiskStoreTest, AMarkerNeedsNoFill) {
    auto marker = head_of("http://a.test/");
    marker->status = 0;
    marker->vary = "accept";
    marker->salt = 77;
    store->update(marker);
    ASSERT_TRUE(settled());
    restart();
    const Got got = get("http://a.test/");
    ASSERT_TRUE(got);
    EXPECT_TRUE(got.head->is_marker());
    EXPECT_EQ(got.head->vary, "accept");
    EXPECT_EQ(got.head->salt, 77U);
    EXPECT_EQ(got.body, "");
}

TEST_F(DiskStoreTest, PurgesByUrlPrefixTagAndAll) {
    const auto fill = [this] {
        stored("http://a.test/1", "x", "red blue");
        stored("http://a.test/2", "x", "blue");
        stored("http://b.test/1", "x");
    };
    fill();
    EXPECT_EQ(purge(Kind::url, "http://a.test/1"), 1U);
    EXPECT_FALSE(get("http://a.test/1"));
    EXPECT_TRUE(get("http://a.test/2"));
    fill();
    EXPECT_EQ(purge(Kind::tag, "blue"), 2U);
    EXPECT_FALSE(get("http://a.test/1"));
    EXPECT_FALSE(get("http://a.test/2"));
    EXPECT_TRUE(get("http://b.test/1"));
    fill();
    EXPECT_EQ(purge(Kind::prefix, "http://a.test/"), 2U);
    EXPECT_TRUE(get("http://b.test/1"));
    fill();
    EXPECT_EQ(purge(Kind::prefix, "http://a.test/2"), 1U);
    EXPECT_EQ(purge(Kind::tag, "green"), 0U);
    EXPECT_EQ(purge(Kind::all, ""), 2U);
    EXPECT_EQ(store->counts().entries, 0U);
    EXPECT_EQ(store->counts().bytes, 0U);
    EXPECT_EQ(files(), 0U);
}

TEST_F(DiskStoreTest, AnUrlIsPurgedUnderAnyKey) {
    auto head = head_of("some key");
    head->url = "http://a.test/1";
    auto writer = store->write(loop, head, 0);
    writer->commit(head);
    writer.reset();
    ASSERT_TRUE(settled());
    EXPECT_EQ(purge(Kind::url, "http://a.test/1"), 1U);
    EXPECT_FALSE(get("some key"));
}

TEST_F(DiskStoreTest, ASoftPurgeMakesStaleForGood) {
    const std::string body = noise(100'000);
    stored("http://a.test/1", body, "red");
    stored("http://a.test/2", "x");
    EXPECT_EQ(purge(Kind::tag, "red", true), 1U);
    EXPECT_NE(get("http://a.test/1").head->validity.expired_at, 0);
    EXPECT_EQ(get("http://a.test/2").head->validity.expired_at, 0);
    restart();
    const Got got = get("http://a.test/1");
    ASSERT_TRUE(got);
    EXPECT_NE(got.head->validity.expired_at, 0);
    EXPECT_TRUE(got.body == body);
    // Validated: fresh again.
    store->update(head_of("http://a.test/1", body.size(), "red"));
    ASSERT_TRUE(settled());
    EXPECT_EQ(get("http://a.test/1").head->validity.expired_at, 0);
}

TEST_F(DiskStoreTest, AFillThatBeganBeforeAPurgeIsNotStored) {
    struct Case {
        const char* name;
        std::function<void()> act;
        bool stored;
    };
    const std::vector<Case> cases{
        {"url", [this] { (void)purge(Kind::url, "http://a.test/1"); }, false},
        {"prefix", [this] { (void)purge(Kind::prefix, "http://a.test/"); }, false},
        {"tag", [this] { (void)purge(Kind::tag, "red"); }, false},
        {"all", [this] { (void)purge(Kind::all, ""); }, false},
        {"removed", [this] { store->remove(key_of("http://a.test/1")); }, false},
        {"another url", [this] { (void)purge(Kind::url, "http://a.test/2"); }, true},
        {"another tag", [this] { (void)purge(Kind::tag, "blue"); }, true},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.name);
        store->remove(key_of("http://a.test/1"));
        auto writer = store->write(loop, head_of("http://a.test/1", 0, "red"), UINT64_MAX);
        each.act();
        run([&]() -> Task<void> {
            auto piece = chunk("body");
            co_await writer->append(std::move(piece));
        });
        writer->commit(head_of("http://a.test/1", 4, "red"));
        writer.reset();
        ASSERT_TRUE(settled());
        EXPECT_EQ(static_cast<bool>(get("http://a.test/1")), each.stored);
        stored("http://a.test/1", "later");
        EXPECT_EQ(get("http://a.test/1").body, "later") << "one that begins later is";
    }
    // A soft one leaves it, stale.
    auto writer = store->write(loop, head_of("http://a.test/1", 0, "red"), UINT64_MAX);
    (void)purge(Kind::tag, "red", true);
    writer->commit(head_of("http://a.test/1", 0, "red"));
    writer.reset();
    ASSERT_TRUE(settled());
    ASSERT_TRUE(get("http://a.test/1"));
    EXPECT_NE(get("http://a.test/1").head->validity.expired_at, 0);
}

TEST_F(DiskStoreTest, AnOpenPurgeOfAFormerProcessGoesOn) {
    stored("http://a.test/1", "x", "red");
    stored("http://a.test/2", "x", "blue");
    stored("http://b.test/1", "x", "green");
    store.reset();
    stores.reset();
    const auto later = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    const std::vector<disk::OpenPurge> open_purges{
        {Selector{Kind::tag, "red", false}, later},
        {Selector{Kind::prefix, "http://b.test/", true}, later}};
    ASSERT_EQ(disk::save_purges(root(), open_purges), 0);
    stores = std::make_unique<DiskStores>(threads);
    open();
    EXPECT_FALSE(get("http://a.test/1"));
    EXPECT_TRUE(get("http://a.test/2"));
    EXPECT_NE(get("http://b.test/1").head->validity.expired_at, 0);
    const std::string file = root() + "/" + std::string(disk::kPurgeFileName);
    EXPECT_TRUE(eventually([&] { return !fs::exists(file); })) << "every file was looked into";
    EXPECT_EQ(store->counts().entries, 2U);
    restart();
    EXPECT_NE(get("http://b.test/1").head->validity.expired_at, 0);
}

TEST_F(DiskStoreTest, ForEachSeesEveryEntryAndStopsWhenTold) {
    for (int i = 0; i < 300; ++i) put("http://a.test/" + std::to_string(i), "x");
    ASSERT_TRUE(settled());
    std::atomic<int> seen = 0;
    std::promise<void> done;
    store->for_each([&](const StoredHead&) { return ++seen < 10; }, [&] { done.set_value(); });
    done.get_future().wait();
    EXPECT_EQ(seen, 10);
    seen = 0;
    std::promise<void> all;
    store->for_each([&](const StoredHead&) { return ++seen != 0; }, [&] { all.set_value(); });
    all.get_future().wait();
    EXPECT_EQ(seen, 300);
}

TEST_F(DiskStoreTest, ADirectoryThatGoesAwayComesBack) {
    stored("http://a.test/", noise(100'000));
    fs::remove_all(root());
    EXPECT_FALSE(get("http://a.test/"));
    EXPECT_EQ(store->counts().entries, 0U);
    stored("http://a.test/", "again");
    EXPECT_EQ(get("http://a.test/").body, "again");
    EXPECT_TRUE(store->counts().writable);
}

TEST_F(DiskStoreTest, WhatCannotBeWrittenIsNotStoredAndThenItIs) {
    ASSERT_TRUE(loaded());
    fs::remove_all(root());
    std::ofstream(root()) << "no directory";
    put("http://a.test/", noise(100'000));
    ASSERT_TRUE(eventually([this] { return !store->counts().writable; }));
    EXPECT_FALSE(get("http://a.test/"));
    EXPECT_EQ(store->counts().bytes, 0U);
    EXPECT_FALSE(store->write(loop, head_of("http://a.test/"), 1)) << "not tried for a while";
    fs::remove(root());
    ASSERT_TRUE(eventually([this] {
        if (auto writer = store->write(loop, head_of("http://a.test/"), 0)) {
            writer->commit(head_of("http://a.test/"));
        }
        return store->counts().writable;
    }));
    EXPECT_TRUE(get("http://a.test/"));
}

TEST_F(DiskStoreTest, AFileThatMayNotGrowIsAFailureLikeAnyOther) {
    ASSERT_TRUE(loaded());
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{50'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    put("http://a.test/", noise(2'000'000));
    EXPECT_TRUE(eventually([this] { return !store->counts().writable; }));
    EXPECT_TRUE(settled());
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)std::signal(SIGXFSZ, old);
    EXPECT_FALSE(get("http://a.test/"));
    EXPECT_EQ(store->counts().bytes, 0U);
    EXPECT_EQ(files(), 0U);
}

/// A clock that stands still.
struct HandClock final : async::Clock {
    [[nodiscard]] async::Milliseconds now() const noexcept override { return time; }
    async::Milliseconds time = 1'000'000;
};

TEST_F(DiskStoreTest, ASlowDiskHoldsTheFillUpAndThenIsLeftOut) {
    stored("http://a.test/", "x");
    HandClock clock;
    async::Loop slow(clock);
    // Every thread of the pool is busy.
    test::Gate gate;
    std::atomic<unsigned> busy = 0;
    for (unsigned i = 0; i < threads; ++i) {
        store->for_each(
            [&](const StoredHead&) {
                ++busy;
                return gate.wait() && false;
            },
            [] {});
    }
    ASSERT_TRUE(eventually([&] { return busy == threads; }));
    auto writer = store->write(slow, head_of("http://a.test/big"), UINT64_MAX);
    std::size_t taken = 0;
    async::TaskScope scope;
    const auto fill = [&]() -> Task<void> {
        const std::string piece = noise(100'000);
        for (int i = 0; i < 100; ++i) {
            auto next = chunk(piece);
            co_await writer->append(std::move(next));
            taken += piece.size();
        }
    };
    scope.spawn(fill());
    EXPECT_EQ(scope.size(), 1U);
    EXPECT_LE(taken, disk::Writer::kMostQueued + 100'000) << "memory is bounded";
    clock.time += 1'900;
    slow.wheel().advance();
    EXPECT_EQ(scope.size(), 1U) << "the fill waits";
    clock.time += 300;
    slow.wheel().advance();
    EXPECT_EQ(scope.size(), 0U) << "it goes on without the disk";
    writer->commit(head_of("http://a.test/big", taken));
    writer.reset();
    gate.open();
    ASSERT_TRUE(settled());
    EXPECT_FALSE(get("http://a.test/big"));
    EXPECT_EQ(store->counts().bytes, 4096U);
    EXPECT_EQ(files(), 1U);
}

TEST_F(DiskStoreTest, ADiskThatCatchesUpLetsTheFillGoOn) {
    const std::string body = noise(20'000'000);
    stored("http://a.test/", body);
    EXPECT_TRUE(get("http://a.test/").body == body);
}

TEST_F(DiskStoreTest, NoDescriptorIsLeftOpen) {
    const auto open_files = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    stored("http://a.test/", noise(300'000));
    const auto before = open_files();
    for (int i = 0; i < 50; ++i) {
        (void)get("http://a.test/");
        put("http://a.test/" + std::to_string(i), noise(200'000));
        auto abandoned = store->write(loop, head_of("http://a.test/x"), UINT64_MAX);
        run([&]() -> Task<void> {
            auto piece = chunk(noise(100'000));
            co_await abandoned->append(std::move(piece));
        });
    }
    EXPECT_TRUE(settled());
    EXPECT_TRUE(eventually([&] { return open_files() <= before; }));
}

double milliseconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - then)
        .count();
}

std::size_t resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    }
    return 0;
}

/// By hand: --gtest_also_run_disabled_tests, minutes long. PROXYD_ENTRIES: how many, else a
/// million.
TEST_F(DiskStoreTest, DISABLED_AMillionFiles) {
    const char* const wanted = std::getenv("PROXYD_ENTRIES");
    const int entries = wanted != nullptr ? std::atoi(wanted) : 1'000'000;
    const auto url = [](int i) { return "http://a.test/dir/page-" + std::to_string(i); };
    const disk::Tree tree(root(), {1, 2});
    for (int i = 0; i < entries; ++i) {
        const auto head = head_of(url(i), 5, i % 10 == 0 ? "red" : "");
        disk::FileWriter writer(tree, *head, 1);
        ASSERT_EQ(writer.finish({chunk("hello")}, *head), 0);
        ASSERT_EQ(writer.publish(), 0);
    }
    store.reset();
    stores.reset();
    const std::size_t before = resident_kib();
    stores = std::make_unique<DiskStores>(4);
    auto then = std::chrono::steady_clock::now();
    open();
    std::printf("opened in %.1f ms\n", milliseconds_since(then));
    double slowest = 0;
    int probes = 0, while_loading = 0;
    const auto probe = [&](int number) {
        const auto asked = std::chrono::steady_clock::now();
        EXPECT_EQ(get(url(number)).body, "hello");
        slowest = std::max(slowest, milliseconds_since(asked));
        ++probes;
    };
    for (; store->counts().loading; ++while_loading) probe(while_loading * 7919 % entries);
    std::printf("index of %llu entries after %.0f ms; %d requests meanwhile, the slowest %.1f ms\n",
                static_cast<unsigned long long>(store->counts().entries), milliseconds_since(then),
                while_loading, slowest);
    std::printf(
        "%.1f bytes an entry\n",
        (static_cast<double>(resident_kib()) - static_cast<double>(before)) * 1024 / entries);
    then = std::chrono::steady_clock::now();
    std::promise<std::uint64_t> count;
    auto purged = count.get_future();
    slowest = 0;
    store->purge(Selector{Kind::tag, "red", false},
                 [&count](std::uint64_t number) { count.set_value(number); });
    while (purged.wait_for(0s) != std::future_status::ready) probe(1);
    std::printf("a tag: %llu at once in %.0f ms; requests meanwhile took at most %.1f ms\n",
                static_cast<unsigned long long>(purged.get()), milliseconds_since(then), slowest);
    then = std::chrono::steady_clock::now();
    std::promise<std::uint64_t> prefix;
    auto prefixed = prefix.get_future();
    slowest = 0;
    stored("http://b.test/", "hello");
    store->purge(Selector{Kind::prefix, "http://a.test/dir/", false},
                 [&prefix](std::uint64_t number) { prefix.set_value(number); });
    EXPECT_FALSE(get(url(2))) << "at once";
    while (prefixed.wait_for(0s) != std::future_status::ready) {
        const auto asked = std::chrono::steady_clock::now();
        EXPECT_TRUE(get("http://b.test/"));
        slowest = std::max(slowest, milliseconds_since(asked));
    }
    std::printf("a prefix: %llu in %.0f ms; requests meanwhile took at most %.1f ms\n",
                static_cast<unsigned long long>(prefixed.get()), milliseconds_since(then), slowest);
    EXPECT_TRUE(eventually([this] { return store->counts().entries == 1; }));
}

}  // namespace
}  // namespace proxyd::cache
