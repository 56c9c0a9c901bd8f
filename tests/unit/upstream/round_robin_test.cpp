#include <gmock/gmock.h>

#include "unit/upstream/group_fixture.hpp"

namespace proxyd::upstream {
namespace {

using testing::ElementsAre;

TEST(RoundRobin, SmoothSequenceOf311) {
    GroupFixture fixture({3, 1, 1});
    EXPECT_EQ(fixture.sequence(10), "1213112131");
}

TEST(RoundRobin, WeightsOfTheOthersHoldWhileOneIsOut) {
    GroupFixture fixture({3, 1, 1});
    fixture.state(0).admin = Admin::down;
    EXPECT_EQ(fixture.sequence(6), "232323");
    GroupFixture larger({5, 4, 1, 3, 2});
    larger.state(1).unhealthy = true;
    EXPECT_THAT(larger.counts(1100), ElementsAre(500, 0, 100, 300, 200));
}

TEST(RoundRobin, WeightsOfTheOthersHoldWhileOneIsFull) {
    GroupFixture fixture({3, 1, 1});
    fixture.settings.servers[0].max_conns = 1;
    const int held = fixture.pick();
    EXPECT_EQ(held, 0);
    EXPECT_EQ(fixture.sequence(6), "232323");
    fixture.release(held);
    EXPECT_THAT(fixture.counts(500), ElementsAre(300, 100, 100));
}

TEST(RoundRobin, BackupsHaveTheirOwnSequence) {
    GroupFixture fixture({1, 1, 2, 1});
    fixture.settings.servers[2].backup = fixture.settings.servers[3].backup = true;
    EXPECT_EQ(fixture.sequence(4), "1212");
    fixture.state(0).admin = fixture.state(1).admin = Admin::down;
    EXPECT_EQ(fixture.sequence(6), "343343");
}

TEST(RoundRobin, NobodyThatMayIsNobody) {
    GroupFixture fixture({1, 2});
    fixture.state(0).admin = Admin::drain;
    fixture.state(1).unhealthy = true;
    EXPECT_EQ(fixture.sequence(3), "---");
    EXPECT_EQ(fixture.group().outlook(fixture.request()), Group::Outlook::dead);
}

TEST(RoundRobin, ATriedPeerIsNotChosenAgain) {
    GroupFixture fixture({1, 1, 1});
    fixture.tried.insert(1);
    EXPECT_EQ(fixture.sequence(4), "1313");
}

TEST(Preferred, IsTakenWhereItMayAndIgnoredElsewhere) {
    GroupFixture fixture({1, 1, 1});
    const auto preferred = [&](int index) {
        PickRequest request = fixture.request();
        request.preferred = index;
        const int got = fixture.group().pick(request);
        fixture.release(got);
        return got;
    };
    EXPECT_EQ(preferred(2), 2);
    fixture.state(2).admin = Admin::drain;
    EXPECT_EQ(preferred(2), 2);
    fixture.state(2).admin = Admin::down;
    EXPECT_NE(preferred(2), 2);
    fixture.state(2).admin = Admin::up;
    fixture.state(2).unhealthy = true;
    EXPECT_NE(preferred(2), 2);
    fixture.state(2).unhealthy = false;
    fixture.tried.insert(2);
    EXPECT_NE(preferred(2), 2);
    EXPECT_NE(preferred(7), 7);
}

}  // namespace
}  // namespace proxyd::upstream
