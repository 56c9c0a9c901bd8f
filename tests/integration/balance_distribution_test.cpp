// How exactly the requests of many clients follow the weights, whatever the number of workers.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr int kClients = 8;
constexpr int kRequests = 10'000;

void send_all(Daemon& daemon) {
    std::vector<std::thread> threads;
    std::atomic<int> bad = 0;
    for (int number = 0; number < kClients; ++number) {
        threads.emplace_back([&] {
            RawClient client(daemon.http());
            for (int count = 0; count < kRequests / kClients; ++count) {
                if (client.get("/").status != 200) ++bad;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(bad, 0);
}

class Distribution : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Distribution, IsWithinOnePercentOfTheWeights) {
    const auto& [balance, workers] = GetParam();
    FakeUpstream one, two, three;
    Daemon daemon("workers: " + std::to_string(workers) + R"(
log: { access: { path: off } }
upstreams:
  app:
    balance: )" + balance +
                      R"(
    servers:
      - { address: "127.0.0.1:@UP1@", weight: 5 }
      - { address: "127.0.0.1:@UP2@", weight: 3 }
      - { address: "127.0.0.1:@UP3@", weight: 2 }
hosts:
  "*": app
)",
                  ups(one, two, three));
    send_all(daemon);
    EXPECT_NEAR(one.request_count(), 5000, 50);
    EXPECT_NEAR(two.request_count(), 3000, 30);
    EXPECT_NEAR(three.request_count(), 2000, 20);
}

INSTANTIATE_TEST_SUITE_P(Balance, Distribution,
                         testing::Values(std::tuple{"round_robin", 1},
                                         std::tuple{"round_robin", 4}),
                         [](const auto& info) {
                             return std::get<0>(info.param) + "_" +
                                    std::to_string(std::get<1>(info.param)) + "_workers";
                         });

// Nobody's weight changes because a server in between is out.
TEST(DistributionAroundADeadServer, HoldsTheWeightsOfTheOthers) {
    FakeUpstream one, three;
    Daemon daemon(R"(
log: { access: { path: off } }
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", weight: 1 }
      - { address: "127.0.0.1:@DEAD@", weight: 5, max_fails: 1, fail_timeout: 60s }
      - { address: "127.0.0.1:@UP2@", weight: 4 }
hosts:
  "*": app
)",
                  ups(one, three));
    send_all(daemon);
    EXPECT_NEAR(one.request_count(), 2000, 40);
    EXPECT_NEAR(three.request_count(), 8000, 40);
}

}  // namespace
}  // namespace proxyd::test
