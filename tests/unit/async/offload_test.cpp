#include "proxyd/async/offload.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "proxyd/async/task_scope.hpp"

namespace proxyd::async {
namespace {

/// Keeps a thread of the pool busy until it is opened.
struct Barrier {
    std::promise<void> open;
    std::shared_future<void> opened = open.get_future().share();
    std::promise<void> reached;
};

Offload::Work wait_at(Barrier& barrier) {
    return [&barrier] {
        barrier.reached.set_value();
        barrier.opened.wait();
    };
}

TEST(Offload, WorkIsDoneOnAnotherThreadAndTheResultComesBackToTheLoop) {
    Loop loop;
    Offload offload(2);
    TaskScope scope;
    const auto asked = [&]() -> Task<void> {
        const auto here = std::this_thread::get_id();
        auto work = [] { return std::this_thread::get_id(); };
        const auto there = co_await offload.run(loop, std::move(work));
        EXPECT_TRUE(there.has_value());
        EXPECT_NE(*there, here);
        EXPECT_EQ(std::this_thread::get_id(), here);
        loop.stop();
    };
    scope.spawn(asked());
    EXPECT_EQ(scope.size(), 1U) << "never done inside the caller";
    loop.run();
    EXPECT_EQ(scope.size(), 0U);
}

TEST(Offload, WhatIsTooMuchIsNotTaken) {
    Loop loop;
    Barrier barrier;
    Offload offload(1, 1);
    ASSERT_TRUE(offload.submit(wait_at(barrier)));
    barrier.reached.get_future().wait();
    std::atomic<int> done = 0;
    EXPECT_TRUE(offload.submit([&] { ++done; }));
    EXPECT_FALSE(offload.submit([&] { done += 100; }));
    offload.submit_always([&] { ++done; });
    EXPECT_EQ(offload.waiting(), 2U);
    TaskScope scope;
    const auto asked = [&]() -> Task<void> {
        auto work = [] { return 1; };
        const auto result = co_await offload.run(loop, std::move(work));
        EXPECT_FALSE(result.has_value());
    };
    scope.spawn(asked());
    EXPECT_EQ(scope.size(), 0U) << "told at once";
    barrier.open.set_value();
    while (offload.waiting() != 0) std::this_thread::yield();
}

TEST(Offload, TheEndDoesAllThatWasTaken) {
    std::atomic<int> done = 0;
    {
        Offload offload(2);
        for (int i = 0; i < 100; ++i) offload.submit_always([&] { ++done; });
    }
    EXPECT_EQ(done, 100);
}

TEST(Offload, WhoLeavesDoesNotHearOfTheResult) {
    Loop loop;
    Barrier barrier;
    bool heard = false;
    auto owned = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = owned;
    {
        Offload offload(1);
        {
            const auto asked = [&]() -> Task<int> {
                auto work = [&barrier, owned = std::move(owned)] {
                    wait_at(barrier)();
                    return *owned;
                };
                (void)co_await offload.run(loop, std::move(work));
                heard = true;
                co_return 0;
            };
            Task<int> task = asked();
            EXPECT_TRUE(task.await_suspend(std::noop_coroutine()));
            barrier.reached.get_future().wait();
        }
        EXPECT_FALSE(watched.expired()) << "the work owns it";
        barrier.open.set_value();
    }
    loop.io().poll();
    EXPECT_FALSE(heard);
    EXPECT_TRUE(watched.expired());
}

TEST(Offload, NoMoreThreadsThanAllowedAndNoneWithoutWork) {
    Offload idle(4);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    {
        Offload offload(3);
        for (int i = 0; i < 200; ++i) {
            offload.submit_always([&] {
                const std::lock_guard lock(mutex);
                seen.insert(std::this_thread::get_id());
            });
        }
    }
    EXPECT_GE(seen.size(), 1U);
    EXPECT_LE(seen.size(), 3U);
}

}  // namespace
}  // namespace proxyd::async
