#include "proxyd/base/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace proxyd {
namespace {

TEST(RandomId, IsThirtyTwoHexDigits) {
    EXPECT_EQ(std::string(view(random_id())).find_first_not_of("0123456789abcdef"),
              std::string::npos);
}

TEST(RandomId, NeverRepeatsAcrossThreads) {
    constexpr std::size_t kEach = 5000;
    std::vector<std::vector<std::string>> ids(4);
    std::vector<std::thread> threads;
    for (auto& mine : ids) {
        threads.emplace_back([&mine] {
            for (std::size_t i = 0; i < kEach; ++i) mine.emplace_back(view(random_id()));
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<std::string> all;
    for (const auto& mine : ids) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), ids.size() * kEach);
}

TEST(RandomBytes, FillsMoreThanABlock) {
    std::vector<std::byte> bytes(10'001);
    random_bytes(bytes);
    EXPECT_LT(std::count(bytes.end() - 1000, bytes.end(), std::byte{0}), 50);
}

}  // namespace
}  // namespace proxyd
