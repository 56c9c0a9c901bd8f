// A limit on what a server gets at one time, held by all workers together, and the queue before it.
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

namespace proxyd::test {
namespace {

/// Notes how many requests it has at one time.
class Counting {
  public:
    FakeUpstream::Handler handler() {
        return [this](const Request&) {
            const int now = ++inside_;
            for (int most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
            }
            std::this_thread::sleep_for(Duration(2));  // work
            --inside_;
            return text_reply("done");
        };
    }
    [[nodiscard]] int most() const { return most_; }

  private:
    std::atomic<int> inside_ = 0, most_ = 0;
};

/// Statuses of `each` requests of 12 clients at once.
std::map<int, int> load(Daemon& daemon, int each) {
    Watched<std::map<int, int>> statuses;
    std::vector<std::thread> threads;
    for (int number = 0; number < 12; ++number) {
        threads.emplace_back([&] {
            RawClient client(daemon.http());
            for (int count = 0; count < each; ++count) {
                const int status = client.get("/").status;
                statuses.change([&](auto& map) { ++map[status]; });
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return statuses.get();
}

std::string limited(int max_conns, const std::string& keys) {
    const std::string limit = std::to_string(max_conns);
    return R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", max_conns: )" +
           limit + R"( }
      - { address: "127.0.0.1:@UP2@", max_conns: )" +
           limit + " }\n    " + keys + "\nhosts: { \"*\": app }\n";
}

TEST(MaxConns, IsNeverExceededAndWhatIsAboveItIs503) {
    for (const std::string balance : {"round_robin", "least_conn", "random_two"}) {
        SCOPED_TRACE(balance);
        Counting first, second;
        FakeUpstream one(first.handler()), two(second.handler());
        Daemon daemon(limited(2, "balance: " + balance), ups(one, two));
        const auto statuses = load(daemon, 50);
        EXPECT_LE(first.most(), 2);
        EXPECT_LE(second.most(), 2);
        EXPECT_EQ(statuses.size(), 2U);
        EXPECT_GT(statuses.at(200), 0);
        EXPECT_GT(statuses.at(503), 0);
        bool said = false;
        for (const std::string& line : daemon.access_lines()) {
            said = said || line.find("\"reason\":\"upstream_busy\"") != std::string::npos;
        }
        EXPECT_TRUE(said);
    }
}

TEST(Queue, EveryRequestOfABurstIsServedWithinTheLimit) {
    Counting first, second;
    FakeUpstream one(first.handler()), two(second.handler());
    Daemon daemon(limited(2, "queue: { size: 100, timeout: 30s }"), ups(one, two));
    const auto statuses = load(daemon, 50);
    EXPECT_LE(first.most(), 2);
    EXPECT_LE(second.most(), 2);
    EXPECT_EQ(statuses, (std::map<int, int>{{200, 600}}));
}

/// One server with one place. Every request waits there until its gate opens.
struct OnePlace {
    explicit OnePlace(const std::string& queue, int workers = 4)
        : upstream([this](const Request& request) {
              order.change([&](auto& text) { text += request.target; });
              (void)gate(request.target).wait();
              return text_reply(request.target);
          }),
          daemon("workers: " + std::to_string(workers) + config(1, queue), ups(upstream)) {}

    static std::string config(int places, const std::string& queue) {
        return "\nupstreams:\n  app:\n    servers: [{ address: \"127.0.0.1:@UP1@\", max_conns: " +
               std::to_string(places) + " }]\n    queue: " + queue + "\nhosts: { \"*\": app }\n";
    }
    Gate& gate(const std::string& target) {
        const std::lock_guard lock(mutex);
        return gates[target];
    }
    void open(const std::string& target) { gate(target).open(); }
    std::unique_ptr<RawClient> ask(const std::string& target) {
        auto client = std::make_unique<RawClient>(daemon.http());
        client->send(get_request(target));
        return client;
    }
    [[nodiscard]] bool wait_for_waiting(int count) const {
        return eventually([&] {
            const auto status = Json::parse(daemon.cli({"status", "--json"}).out);
            return status && (*status)["upstreams"].array()[0]["waiting"].number() == count;
        });
    }

    std::mutex mutex;
    std::map<std::string, Gate> gates;
    Watched<std::string> order;
    FakeUpstream upstream;
    Daemon daemon;
};

TEST(Queue, WhoCameFirstIsServedFirst) {
    OnePlace place("10");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    std::vector<std::unique_ptr<RawClient>> others;
    for (const std::string target : {"/b", "/c", "/d"}) {
        others.push_back(place.ask(target));
        ASSERT_TRUE(place.wait_for_waiting(static_cast<int>(others.size())));
    }
    EXPECT_EQ(place.upstream.heads(), 1);
    for (const std::string target : {"/a", "/b", "/c", "/d"}) place.open(target);
    EXPECT_EQ(a->read_response().body, "/a");
    for (const auto& client : others) EXPECT_EQ(client->read_response().status, 200);
    EXPECT_EQ(place.order.get(), "/a/b/c/d");
}

// The two are on different workers, and the place is passed on, not found by looking again.
TEST(Queue, APlaceIsPassedOnAtOnceToAnotherWorker) {
    OnePlace place("10", 2);
    std::vector<Duration::rep> times;
    for (int round = 0; round < 7; ++round) {
        const std::string first = "/a" + std::to_string(round),
                          second = "/b" + std::to_string(round);
        const auto a = place.ask(first);
        ASSERT_TRUE(place.upstream.wait_for_heads(2 * round + 1));
        const auto b = place.ask(second);
        ASSERT_TRUE(place.wait_for_waiting(1));
        place.open(second);
        const auto start = Clock::now();
        place.open(first);
        EXPECT_EQ(b->read_response().status, 200);
        times.push_back(std::chrono::duration_cast<Duration>(Clock::now() - start).count());
        EXPECT_EQ(a->read_response().status, 200);
    }
    std::ranges::sort(times);
    EXPECT_LT(times[0], 40) << "the quickest";
}

TEST(Queue, FullIs503AtOnce) {
    OnePlace place("{ size: 1, timeout: 60s }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto b = place.ask("/b");
    ASSERT_TRUE(place.wait_for_waiting(1));
    EXPECT_EQ(get_once(place.daemon.http(), "/c").status, 503);
    EXPECT_EQ(place.daemon.access(0)["reason"].text(), "queue_full");
    place.open("/a");
    place.open("/b");
    EXPECT_EQ(a->read_response().status, 200);
    EXPECT_EQ(b->read_response().status, 200);
}

TEST(Queue, TooLongIs503) {
    OnePlace place("{ size: 5, timeout: 300ms }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto start = Clock::now();
    EXPECT_EQ(get_once(place.daemon.http(), "/b").status, 503);
    EXPECT_GE(Clock::now() - start, Duration(290));
    EXPECT_EQ(place.daemon.access(0)["reason"].text(), "queue_timeout");
    EXPECT_TRUE(place.wait_for_waiting(0));
    place.open("/a");
    EXPECT_EQ(a->read_response().status, 200);
    EXPECT_EQ(place.upstream.heads(), 1);
}

TEST(Queue, AClientThatLeavesFreesItsPlace) {
    OnePlace place("{ size: 1, timeout: 60s }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto b = place.ask("/b");
    ASSERT_TRUE(place.wait_for_waiting(1));
    b->close();
    ASSERT_TRUE(place.wait_for_waiting(0));
    EXPECT_EQ(place.daemon.access(0)["status"].number(), 499);
    const auto c = place.ask("/c");
    ASSERT_TRUE(place.wait_for_waiting(1));
    place.open("/a");
    place.open("/c");
    EXPECT_EQ(a->read_response().status, 200);
    EXPECT_EQ(c->read_response().status, 200);
    EXPECT_EQ(place.order.get(), "/a/c");
}

// Also in the moment in which the place was given to them and they do not know it yet.
TEST(Queue, ClientsThatLeaveAtAnyMomentLoseNoPlace) {
    FakeUpstream upstream;
    Daemon daemon(OnePlace::config(1, "{ size: 50, timeout: 60s }"), ups(upstream));
    std::vector<std::thread> threads;
    for (int number = 0; number < 6; ++number) {
        threads.emplace_back([&, number] {
            for (int count = 0; count < 200; ++count) {
                RawClient client(daemon.http());
                client.send(get_request("/"));
                if ((count + number) % 3 == 0) (void)client.read_response();
                (count % 2 == 0) ? client.reset() : client.close();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(eventually([&] {
        const auto status = Json::parse(daemon.cli({"status", "--json"}).out);
        const auto& app = (*status)["upstreams"].array()[0];
        return app["waiting"].number() == 0 && app["peers"].array()[0]["in_flight"].number() == 0;
    }));
}

// Those who wait for the old server alone do not stand before those who can go to the new one; nor
// do they fill the queue for them.
TEST(Queue, AReloadToAnotherServerIsNotHeldUpByWhoWaitsForTheOldOne) {
    OnePlace place("{ size: 1, timeout: 60s }");
    FakeUpstream spare([](const Request&) { return text_reply("spare"); });
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto b = place.ask("/b");
    ASSERT_TRUE(place.wait_for_waiting(1));
    std::string config = OnePlace::config(1, "{ size: 1, timeout: 60s }");
    config.replace(config.find("@UP1@"), 5, std::to_string(spare.port()));
    place.daemon.reload(config);
    const auto c = place.ask("/c");
    EXPECT_EQ(c->read_response().body, "spare");
    ASSERT_TRUE(place.wait_for_waiting(1));
    place.open("/a");
    place.open("/b");
    EXPECT_EQ(a->read_response().body, "/a");
    EXPECT_EQ(b->read_response().body, "/b");
    EXPECT_TRUE(place.wait_for_waiting(0));
}

// Who waited keeps the limit it came with, newcomers have the new one at once.
TEST(Queue, AReloadThatMakesRoomLetsThemIn) {
    OnePlace place("{ size: 5, timeout: 60s }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto b = place.ask("/b");
    ASSERT_TRUE(place.wait_for_waiting(1));
    place.daemon.reload(OnePlace::config(2, "5"));
    const auto c = place.ask("/c");
    EXPECT_TRUE(place.upstream.wait_for_heads(2));
    for (const std::string target : {"/a", "/b", "/c"}) place.open(target);
    for (const auto* client : {&a, &b, &c}) EXPECT_EQ((*client)->read_response().status, 200);
}

TEST(Queue, ADrainServesWhoWaits) {
    OnePlace place("{ size: 5, timeout: 60s }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    const auto b = place.ask("/b");
    ASSERT_TRUE(place.wait_for_waiting(1));
    place.daemon.signal(SIGQUIT);
    place.open("/a");
    place.open("/b");
    EXPECT_EQ(a->read_response().status, 200);
    EXPECT_EQ(b->read_response().status, 200);
    a->close();
    b->close();
    EXPECT_EQ(place.daemon.wait_exit().code, 0);
}

TEST(Queue, AStopCutsWhoWaits) {
    OnePlace place("{ size: 5, timeout: 60s }");
    const auto a = place.ask("/a");
    ASSERT_TRUE(place.upstream.wait_for_heads(1));
    std::vector<std::unique_ptr<RawClient>> others;
    for (int count = 1; count <= 5; ++count) others.push_back(place.ask("/b"));
    ASSERT_TRUE(place.wait_for_waiting(5));
    place.daemon.signal(SIGTERM);
    EXPECT_EQ(place.daemon.wait_exit().code, 0);
    for (const std::string target : {"/a", "/b"}) place.open(target);
}

}  // namespace
}  // namespace proxyd::test
