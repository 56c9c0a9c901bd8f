#include <gmock/gmock.h>

#include <deque>

#include "unit/upstream/group_fixture.hpp"
#include "upstream/balancer/random_two.hpp"

namespace proxyd::upstream {
namespace {

std::deque<std::uint64_t> numbers;
std::uint64_t scripted() noexcept {
    const std::uint64_t number = numbers.empty() ? 0 : numbers.front();
    if (!numbers.empty()) numbers.pop_front();
    return number;
}

/// Draws the given numbers over weights 3, 1 and 2: peers 1 1 1 2 3 3.
struct Draw {
    int pick(std::deque<std::uint64_t> drawn) {
        numbers = std::move(drawn);
        const auto& peers = fixture.group().peers();
        const RandomTwo balancer(WeightedList(peers, {0, 1, 2}), Turns(peers, {0, 1, 2}, sequence),
                                 scripted);
        const PickRequest request = fixture.request();
        Candidates candidates(peers, request, false);
        return balancer.pick(candidates);
    }
    GroupFixture fixture{{3, 1, 2}};
    std::atomic<std::uint64_t> sequence{0};
};

TEST(RandomTwo, TheLessLoadedOfTwo) {
    Draw draw;
    EXPECT_EQ(draw.pick({0, 3}), 1) << "equal loads: the second, as nginx";
    EXPECT_EQ(draw.pick({0, 3}), 0);
    EXPECT_EQ(draw.pick({0, 4}), 2) << "1/3 against 0/2";
    EXPECT_EQ(draw.pick({0, 4}), 0) << "1/3 against 1/2";
}

TEST(RandomTwo, TheTwoAreDifferent) {
    Draw draw;
    draw.fixture.state(0).in_flight = 5;
    EXPECT_EQ(draw.pick({0, 1, 2, 5}), 2);
}

TEST(RandomTwo, WhoMayNotIsDrawnAgain) {
    Draw draw;
    draw.fixture.state(1).unhealthy = true;
    draw.fixture.state(2).in_flight = 100;
    EXPECT_EQ(draw.pick({3, 4, 3, 0}), 0);
}

TEST(RandomTwo, After20TriesItIsTheSequence) {
    Draw draw;
    draw.fixture.state(0).unhealthy = draw.fixture.state(1).unhealthy = true;
    EXPECT_EQ(draw.pick({}), 2);
}

TEST(RandomTwo, HoldsTheWeights) {
    GroupFixture fixture({3, 1, 2}, config::Balance::random_two);
    std::vector<int> held(3);
    for (int i = 0; i < 6000; ++i) ++held[static_cast<std::size_t>(fixture.pick())];
    EXPECT_NEAR(held[0], 3000, 30);
    EXPECT_NEAR(held[1], 1000, 30);
    EXPECT_NEAR(held[2], 2000, 30);
}

}  // namespace
}  // namespace proxyd::upstream
