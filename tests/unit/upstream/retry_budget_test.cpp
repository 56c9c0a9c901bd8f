#include "proxyd/upstream/retry_budget.hpp"

#include <gtest/gtest.h>

namespace proxyd::upstream {
namespace {

/// How many of `asked` retries are granted; each makes one attempt more.
int granted(RetryBudget& budget, std::uint64_t& attempts, int asked, unsigned percent) {
    int count = 0;
    for (int i = 0; i < asked; ++i) {
        if (!budget.take(attempts, percent)) continue;
        ++attempts;
        ++count;
    }
    return count;
}

TEST(RetryBudget, a_share_of_the_requests_and_three_a_second) {
    RetryBudget budget;
    std::uint64_t attempts = 1'000;
    EXPECT_EQ(granted(budget, attempts, 1'000, 20), 230);
    EXPECT_EQ(budget.retries(), 230U);
    EXPECT_EQ(budget.refused(), 770U);
}

TEST(RetryBudget, retries_are_no_requests_to_retry_on) {
    RetryBudget budget;
    std::uint64_t attempts = 100;
    EXPECT_EQ(granted(budget, attempts, 1'000, 100), 130);
    EXPECT_EQ(granted(budget, attempts, 1'000, 100), 0);
}

TEST(RetryBudget, a_quiet_group_has_the_floor) {
    RetryBudget budget;
    std::uint64_t attempts = 1;
    EXPECT_EQ(granted(budget, attempts, 100, 20), 30);
    EXPECT_EQ(granted(budget, attempts, 100, 0), 0);
}

TEST(RetryBudget, what_is_older_than_ten_seconds_does_not_count) {
    RetryBudget budget;
    std::uint64_t attempts = 10'000;
    EXPECT_EQ(granted(budget, attempts, 3'000, 20), 2'030);
    for (int second = 0; second < 9; ++second) budget.tick(attempts);
    EXPECT_EQ(granted(budget, attempts, 100, 20), 0) << "still in the window";
    budget.tick(attempts);
    EXPECT_EQ(granted(budget, attempts, 100, 20), 30) << "neither those requests nor those retries";
    attempts += 500;
    EXPECT_EQ(granted(budget, attempts, 200, 20), 100);
}

TEST(RetryBudget, a_retry_that_burdens_nobody_is_always_granted) {
    RetryBudget budget;
    std::uint64_t attempts = 1;
    EXPECT_EQ(granted(budget, attempts, 100, 20), 30);
    budget.take_free();
    EXPECT_EQ(budget.retries(), 31U);
    EXPECT_EQ(budget.refused(), 70U);
}

TEST(RetryBudget, peers_that_left_with_their_counters_do_no_harm) {
    RetryBudget budget;
    budget.tick(1'000'000);
    for (int second = 0; second < 10; ++second) budget.tick(1'000'000);
    std::uint64_t attempts = 50;
    EXPECT_EQ(granted(budget, attempts, 100, 20), 30);
}

}  // namespace
}  // namespace proxyd::upstream
