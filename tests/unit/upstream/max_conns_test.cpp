#include <gmock/gmock.h>

#include <thread>

#include "proxyd/async/loop.hpp"
#include "unit/upstream/group_fixture.hpp"

namespace proxyd::upstream {
namespace {

using config::Balance;

TEST(MaxConns, EnteringIsExact) {
    PeerState state(0);
    EXPECT_TRUE(state.enter(2));
    EXPECT_TRUE(state.enter(2));
    EXPECT_FALSE(state.enter(2));
    EXPECT_TRUE(state.enter(0)) << "no limit";
    for (int i = 0; i < 3; ++i) state.leave();
    std::atomic<int> entered = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int turn = 0; turn < 10'000; ++turn) entered += state.enter(1000) ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(entered, 1000);
    EXPECT_EQ(state.in_flight, 1000U);
}

TEST(MaxConns, IsNeverExceededByThreadsThatChooseAtOnce) {
    for (const Balance balance : {Balance::round_robin, Balance::least_conn, Balance::random_two}) {
        GroupFixture fixture({1, 1, 1}, balance);
        for (config::Server& server : fixture.settings.servers) server.max_conns = 2;
        (void)fixture.group();
        std::atomic<int> most = 0, served = 0;
        std::array<std::atomic<int>, 3> inside{};
        const auto run = [&] {
            for (int i = 0; i < 20'000; ++i) {
                const int index = fixture.pick();
                if (index < 0) continue;
                const int now = ++inside[static_cast<std::size_t>(index)];
                if (now > most) most = now;
                ++served;
                --inside[static_cast<std::size_t>(index)];
                fixture.release(index);
            }
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) threads.emplace_back(run);
        for (std::thread& thread : threads) thread.join();
        EXPECT_LE(most, 2);
        EXPECT_GT(served, 1000);
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(fixture.state(i).in_flight, 0U);
    }
}

TEST(MaxConns, AFullGroupIsBusyAndADeadOneIsNot) {
    GroupFixture fixture({1, 1});
    fixture.settings.servers[0].max_conns = 1;
    fixture.state(1).unhealthy = true;
    EXPECT_EQ(fixture.group().outlook(fixture.request()), Group::Outlook::open);
    EXPECT_EQ(fixture.pick(), 0);
    EXPECT_EQ(fixture.pick(), -1);
    EXPECT_EQ(fixture.group().outlook(fixture.request()), Group::Outlook::busy);
    fixture.state(0).unhealthy = true;
    EXPECT_EQ(fixture.group().outlook(fixture.request()), Group::Outlook::dead);
}

/// A group with one place, and a loop that runs what was posted to it.
struct Line {
    Line() : fixture({1, 1}) {
        fixture.settings.servers[0].max_conns = 1;
        fixture.settings.servers[1].down = true;
        held = fixture.pick();
    }
    using Waiter = std::shared_ptr<WaitingLine::Waiter>;
    Waiter waiter(bool retry = false) {
        return std::make_shared<WaitingLine::Waiter>(fixture.group(), request, loop, retry);
    }
    WaitingLine& line() { return fixture.group().waiting(); }
    void run() {
        loop.io().restart();
        loop.io().poll();
    }
    GroupFixture fixture;
    const PickRequest request = fixture.request();
    async::Loop loop;
    int held = -1;
};

bool woken(const Line::Waiter& waiter) {
    return waiter->woken.wait().await_ready();
}

TEST(WaitingLine, ServesInOrder) {
    Line line;
    const auto first = line.waiter(), second = line.waiter();
    EXPECT_TRUE(line.line().join(first, 10));
    EXPECT_TRUE(line.line().join(second, 10));
    line.line().serve();
    line.run();
    EXPECT_FALSE(woken(first)) << "no place is free";
    line.fixture.release(line.held);
    line.run();
    EXPECT_TRUE(woken(first));
    EXPECT_FALSE(woken(second));
    EXPECT_EQ(line.line().leave(*first), 0);
    EXPECT_EQ(line.line().size(), 1U);
    line.fixture.release(0);
    line.run();
    EXPECT_TRUE(woken(second));
    EXPECT_EQ(line.line().leave(*second), 0);
    EXPECT_EQ(line.fixture.state(0).in_flight, 1U);
}

TEST(WaitingLine, IsAsLongAsItsLimit) {
    Line line;
    const auto first = line.waiter(), second = line.waiter(), third = line.waiter();
    EXPECT_TRUE(line.line().join(first, 2));
    EXPECT_TRUE(line.line().join(second, 2));
    EXPECT_FALSE(line.line().join(third, 2));
    EXPECT_EQ(line.line().leave(*first), -1);
    EXPECT_TRUE(line.line().join(third, 2));
    EXPECT_EQ(line.line().leave(*second), -1);
    EXPECT_EQ(line.line().leave(*third), -1);
    EXPECT_EQ(line.line().size(), 0U);
}

TEST(WaitingLine, WhoIsGoneIsNotWoken) {
    Line line;
    const auto waiter = line.waiter();
    EXPECT_TRUE(line.line().join(waiter, 1));
    line.fixture.release(line.held);
    waiter->gone = true;
    EXPECT_EQ(line.line().leave(*waiter), 0) << "the place is its own all the same";
    line.run();
    EXPECT_FALSE(woken(waiter));
}

/// A worker: takes a place, or waits for one on its own loop. Returns how often it was served;
/// every third time it does not wait to the end.
int serve_requests(GroupFixture& fixture, std::atomic<int>& inside, std::atomic<int>& most) {
    async::Loop loop;
    int served = 0;
    for (int i = 0; i < 3000; ++i) {
        const PickRequest request = fixture.request();
        WaitingLine& line = fixture.group().waiting();
        int index = line.size() == 0 ? fixture.group().pick(request) : -1;
        if (index < 0) {
            const auto waiter =
                std::make_shared<WaitingLine::Waiter>(fixture.group(), request, loop, false);
            if (!line.join(waiter, 100)) continue;
            line.serve();
            while (i % 3 != 0 && !woken(waiter)) {
                loop.io().restart();
                if (loop.io().poll() == 0) std::this_thread::yield();
            }
            waiter->gone = true;
            index = line.leave(*waiter);
        }
        if (index < 0) continue;
        const int now = ++inside;
        if (now > most) most = now;
        ++served;
        --inside;
        fixture.release(index);
    }
    loop.io().restart();
    loop.io().poll();
    return served;
}

TEST(WaitingLine, LosesNobodyAmongFourWorkers) {
    GroupFixture fixture({1, 1});
    fixture.settings.servers[0].max_conns = 2;
    fixture.settings.servers[1].down = true;
    (void)fixture.group();
    std::atomic<int> inside = 0, most = 0, served = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { served += serve_requests(fixture, inside, most); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(most, 2);
    EXPECT_GE(served, 4 * 2000) << "who waited to the end was served";
    EXPECT_EQ(fixture.state(0).in_flight, 0U);
    EXPECT_EQ(fixture.group().waiting().size(), 0U);
}

}  // namespace
}  // namespace proxyd::upstream
