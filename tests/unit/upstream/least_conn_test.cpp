#include <gmock/gmock.h>

#include <chrono>

#include "unit/upstream/group_fixture.hpp"

namespace proxyd::upstream {
namespace {

using testing::ElementsAre;

TEST(LeastConn, IdleItIsTheSmoothSequence) {
    GroupFixture fixture({3, 1, 1}, config::Balance::least_conn);
    EXPECT_EQ(fixture.sequence(10), "1213112131");
}

TEST(LeastConn, FewestInFlightForTheWeight) {
    GroupFixture fixture({1, 2, 4}, config::Balance::least_conn);
    std::vector<int> held(3);
    for (int i = 0; i < 70; ++i) ++held[static_cast<std::size_t>(fixture.pick())];
    EXPECT_THAT(held, ElementsAre(10, 20, 40));
    for (int i = 0; i < 10; ++i) fixture.release(1);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(fixture.pick(), 1);
}

TEST(LeastConn, EqualsTakeTurnsAmongThemselves) {
    GroupFixture fixture({1, 1, 1}, config::Balance::least_conn);
    EXPECT_EQ(fixture.pick(), 0);  // stays
    EXPECT_EQ(fixture.sequence(4), "2323");
}

TEST(LeastConn, PassesOverWhoIsFullOrOut) {
    GroupFixture fixture({1, 1, 1}, config::Balance::least_conn);
    fixture.settings.servers[0].max_conns = 1;
    fixture.state(1).admin = Admin::down;
    EXPECT_EQ(fixture.pick(), 0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(fixture.pick(), 2);
}

// The budget is 100 ns on an idle machine; this bound only finds a walk that went astray.
TEST(LeastConn, OverSixteenPeersCostsNextToNothing) {
    GroupFixture fixture(std::vector<unsigned>(16, 1), config::Balance::least_conn);
    for (int i = 0; i < 7; ++i) (void)fixture.pick();
    constexpr int kPicks = 200'000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kPicks; ++i) fixture.release(fixture.pick());
    const auto spent = std::chrono::steady_clock::now() - start;
    const auto each = std::chrono::duration<double, std::nano>(spent).count() / kPicks;
    RecordProperty("nanoseconds", std::to_string(each));
    std::cout << "least_conn over 16 peers: " << each << " ns\n";
    EXPECT_LT(each, 5'000);
}

}  // namespace
}  // namespace proxyd::upstream
