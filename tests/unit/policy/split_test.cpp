#include "proxyd/policy/split.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "proxyd/base/hash.hpp"

namespace proxyd::policy {
namespace {

config::TrafficSplit split_of(std::vector<unsigned> weights) {
    config::TrafficSplit split;
    for (const unsigned weight : weights) split.shares.push_back({"u", weight});
    return split;
}

std::string client(int number) {
    return "10." + std::to_string(number >> 16) + "." + std::to_string(number >> 8 & 255) + "." +
           std::to_string(number & 255);
}

TEST(SplitShares, FollowTheWeights) {
    const std::vector<std::vector<unsigned>> cases{
        {90, 10}, {1, 1, 1}, {70, 25, 5}, {1'000'000, 1}};
    for (const auto& weights : cases) {
        const SplitShares shares(split_of(weights));
        std::vector<int> hits(weights.size());
        constexpr int kClients = 40'000;
        for (int i = 0; i < kClients; ++i) ++hits.at(shares.choose(client(i)));
        double sum = 0;
        for (const unsigned weight : weights) sum += weight;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            EXPECT_NEAR(double(hits[i]) / kClients, weights[i] / sum, 0.01) << i;
        }
    }
}

TEST(SplitShares, OneShareTakesAll) {
    const SplitShares shares(split_of({7}));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(shares.choose(client(i)), 0U);
    EXPECT_EQ(shares.choose(""), 0U);
}

TEST(SplitShares, AGrowingLastShareKeepsItsKeys) {
    const SplitShares before(split_of({90, 10}));
    const SplitShares after(split_of({70, 30}));
    for (int i = 0; i < 5'000; ++i) {
        if (before.choose(client(i)) != 1) continue;
        EXPECT_EQ(after.choose(client(i)), 1U) << client(i);
    }
}

/// Clients stay where they are when a new version of the program is started: a changed function
/// would move them.
TEST(StableHash, NeverChanges) {
    EXPECT_EQ(stable_hash(""), 17280346270528514342ULL);
    EXPECT_EQ(stable_hash("127.0.0.1"), stable_hash(std::string("127.0.0.") + "1"));
    EXPECT_NE(stable_hash("127.0.0.1"), stable_hash("127.0.0.2"));
}

}  // namespace
}  // namespace proxyd::policy
