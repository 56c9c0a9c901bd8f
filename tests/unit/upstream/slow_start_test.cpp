#include <gmock/gmock.h>

#include "unit/upstream/group_fixture.hpp"

namespace proxyd::upstream {
namespace {

using config::Balance;

struct Ramping : GroupFixture {
    explicit Ramping(Balance balance = Balance::round_robin) : GroupFixture({1, 1}, balance) {
        for (config::Server& server : settings.servers) {
            server.slow_start = config::Duration{10'000};
        }
    }
};

/// Percent of the requests that the second peer gets.
int share(GroupFixture& fixture, int requests = 2000) {
    return fixture.counts(requests)[1] * 100 / requests;
}

TEST(SlowStart, TheStartOfTheDaemonRampsNothing) {
    Ramping fixture;
    EXPECT_EQ(fixture.sequence(6), "121212");
}

TEST(SlowStart, GrowsInAStraightLineAfterAnOperatorsUp) {
    Ramping fixture;
    fixture.state(1).admin = Admin::down;
    EXPECT_EQ(share(fixture), 0);
    fixture.state(1).admin = Admin::up;
    (void)fixture.counts(10);  // the first choice behind it sees that it is back
    // Of its half it gets the part that has grown; what it leaves goes to the other.
    for (const int percent : {20, 50, 80}) {
        fixture.now = 1'000'000 + percent * 100;
        EXPECT_NEAR(share(fixture), percent * 50 / 100, 8) << percent;
    }
    fixture.now = 1'000'000 + 10'000;
    EXPECT_EQ(share(fixture), 50);
}

TEST(SlowStart, FollowsTheTrialThatSucceeded) {
    Ramping fixture;
    fixture.fail(1);
    EXPECT_EQ(share(fixture), 0);
    fixture.now += fixture.peer(1).fail_timeout + 1;
    EXPECT_EQ(fixture.counts(4)[1], 1) << "one trial";
    fixture.group().report_success(fixture.peer(1));
    (void)fixture.counts(10);
    fixture.now += 1000;
    EXPECT_LT(share(fixture), 15);
    EXPECT_GT(share(fixture), 1);
    fixture.now += 9000;
    EXPECT_EQ(share(fixture), 50);
}

TEST(SlowStart, FollowsTheActiveChecks) {
    Ramping fixture;
    fixture.state(1).unhealthy = true;
    (void)fixture.counts(3);
    fixture.state(1).unhealthy = false;
    (void)fixture.counts(10);
    fixture.now += 2000;
    EXPECT_LT(share(fixture), 25);
}

TEST(SlowStart, WhoIsAloneGetsEverythingAtOnce) {
    Ramping fixture;
    fixture.state(0).admin = Admin::down;
    fixture.state(1).admin = Admin::down;
    EXPECT_EQ(fixture.sequence(2), "--");
    fixture.state(1).admin = Admin::up;
    EXPECT_EQ(fixture.sequence(5), "22222");
}

TEST(SlowStart, HoldsWithEveryWayToChoose) {
    for (const Balance balance :
         {Balance::least_conn, Balance::random_two, Balance::hash, Balance::ip_hash}) {
        for (const bool consistent : {false, true}) {
            Ramping fixture(balance);
            fixture.settings.hash.consistent = consistent;
            const auto requests = [&] {
                int second = 0;
                for (int i = 0; i < 2000; ++i) {
                    fixture.key = std::to_string(i);
                    fixture.client =
                        "10." + std::to_string(i % 200) + "." + std::to_string(i / 200) + ".1";
                    const int index = fixture.pick();
                    second += index;
                    fixture.release(index);
                }
                return second * 100 / 2000;
            };
            fixture.state(1).admin = Admin::down;
            EXPECT_EQ(requests(), 0);
            fixture.state(1).admin = Admin::up;
            (void)requests();
            fixture.now += 2000;
            EXPECT_LT(requests(), 35) << static_cast<int>(balance);
            EXPECT_GT(requests(), 2) << static_cast<int>(balance);
            fixture.now += 8000;
            EXPECT_NEAR(requests(), 50, 8) << static_cast<int>(balance);
        }
    }
}

TEST(SlowStart, UnderLoadLeastConnHoldsThePeerAtItsShare) {
    Ramping fixture(Balance::least_conn);
    fixture.state(1).admin = Admin::down;
    for (int i = 0; i < 100; ++i) (void)fixture.pick();
    fixture.state(1).admin = Admin::up;
    (void)fixture.counts(1);
    fixture.now += 2500;
    for (int i = 0; i < 100; ++i) (void)fixture.pick();
    const auto first = fixture.state(0).in_flight.load(),
               second = fixture.state(1).in_flight.load();
    EXPECT_LE(second, first * 25 / 100 + 1);
    EXPECT_GE(second, 20U);
}

}  // namespace
}  // namespace proxyd::upstream
