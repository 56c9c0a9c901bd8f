#include "proxyd/upstream/peer_state.hpp"

#include <gtest/gtest.h>

#include "proxyd/async/deadline_wheel.hpp"

namespace proxyd::upstream {
namespace {

TEST(PeerState, orders_and_verdicts_keep_requests_away) {
    PeerState state(0);
    EXPECT_TRUE(state.in_service());
    state.order(Admin::drain);
    EXPECT_FALSE(state.in_service());
    state.order(Admin::up);
    state.set_unhealthy(true);
    EXPECT_FALSE(state.in_service());
    state.set_unhealthy(false);
    EXPECT_TRUE(state.in_service());
}

TEST(PeerState, since_tells_the_last_change) {
    const std::int64_t now = async::coarse_clock().now();
    PeerState state(0);
    const std::int64_t born = state.since(now);
    EXPECT_FALSE(state.failed(now, 2, 1'000, Reason::upstream_refused));
    EXPECT_EQ(state.since(now), born);
    EXPECT_TRUE(state.failed(now, 2, 1'000, Reason::upstream_refused));
    EXPECT_TRUE(state.failed_at(now + 999));
    EXPECT_GE(state.since(now), born);
    EXPECT_FALSE(state.failed_at(now + 1'000));
    EXPECT_EQ(state.since(now + 5'000), now + 1'000) << "the rest was over by itself";
}

TEST(PeerState, a_rest_that_ends_forgets_the_failures) {
    const std::int64_t now = async::coarse_clock().now();
    PeerState state(0);
    for (int i = 0; i < 3; ++i) (void)state.failed(now, 3, 1'000, Reason::upstream_refused);
    EXPECT_TRUE(state.failed_at(now));
    state.end_rest();
    EXPECT_FALSE(state.failed_at(now));
    EXPECT_FALSE(state.failed(now, 3, 1'000, Reason::upstream_refused));
}

TEST(PeerState, counts_checks_and_keeps_the_last_cause) {
    PeerState state(0);
    EXPECT_EQ(state.checks().last, "");
    state.note_check(false, "status 503");
    EXPECT_EQ(state.checks().last, "status 503");
    state.note_check(true, "");
    EXPECT_EQ(state.checks().last, "passed");
    EXPECT_EQ(state.checks().passed, 1U);
    EXPECT_EQ(state.checks().failed, 1U);
}

}  // namespace
}  // namespace proxyd::upstream
