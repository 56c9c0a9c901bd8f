#include "upstream/shared_dials.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "proxyd/async/task_scope.hpp"

namespace proxyd::upstream {
namespace {

class HandClock final : public async::Clock {
  public:
    [[nodiscard]] async::Milliseconds now() const noexcept override { return at; }
    async::Milliseconds at = 1000;
};

/// One request that waits, and what became of it.
struct Request {
    Request(SharedDials& dials, async::Loop& loop, std::string_view tag)
        : waiter(dials, loop, tag, std::chrono::milliseconds(100)) {
        scope.spawn(wait());
    }
    Task<void> wait() {
        why = co_await waiter.wait();
        ended = true;
    }
    SharedDials::Waiter waiter;
    bool ended = false;
    std::optional<Error> why;
    async::TaskScope scope;
};

class SharedDialsTest : public ::testing::Test {
  protected:
    Request& request(std::string_view tag = "a") {
        requests.push_back(std::make_unique<Request>(dials, loop, tag));
        return *requests.back();
    }

    HandClock clock;
    async::Loop loop{clock};
    SharedDials dials;
    std::vector<std::unique_ptr<Request>> requests;
};

TEST_F(SharedDialsTest, WaitingIsWorthItWhileOneOfTheTagIsMade) {
    EXPECT_FALSE(dials.worth_waiting("a"));
    const SharedDials::Making making(dials, "a");
    EXPECT_TRUE(dials.worth_waiting("a"));
    EXPECT_FALSE(dials.worth_waiting("b"));
}

TEST_F(SharedDialsTest, NoMoreWaitThanItHasStreamsFor) {
    dials.found_shared("a", 3);
    std::optional<SharedDials::Making> making(std::in_place, dials, "a");
    request();
    EXPECT_TRUE(dials.worth_waiting("a"));
    request();
    EXPECT_FALSE(dials.worth_waiting("a"));
    const SharedDials::Making second(dials, "a");
    EXPECT_TRUE(dials.worth_waiting("a"));
    dials.found_shared("a", 1);
    EXPECT_FALSE(dials.worth_waiting("a"));  // the one stream is its maker's
}

TEST_F(SharedDialsTest, WakesThoseOfItsTag) {
    const SharedDials::Making making(dials, "a");
    Request& first = request();
    Request& other = request("b");
    Request& second = request();
    dials.found_shared("a", 10);
    EXPECT_TRUE(first.ended && second.ended);
    EXPECT_FALSE(first.why || other.ended);
    dials.wake("b");
    EXPECT_TRUE(other.ended);
}

TEST_F(SharedDialsTest, FailsThemTogether) {
    Request& first = request();
    Request& second = request();
    dials.fail("a", Error(Reason::upstream_refused));
    ASSERT_TRUE(first.why && second.why);
    EXPECT_EQ(first.why->code, Reason::upstream_refused);
    EXPECT_TRUE(dials.empty());
}

TEST_F(SharedDialsTest, OneThatIsEndedLeavesTheOthers) {
    Request& first = request();
    Request& second = request();
    first.waiter.end(Error(Reason::client_closed));
    EXPECT_EQ(first.why->code, Reason::client_closed);
    EXPECT_FALSE(second.ended);
    dials.wake("a");
    EXPECT_TRUE(second.ended);
}

TEST_F(SharedDialsTest, WaitsNoLongerThanItsLimit) {
    Request& only = request();
    clock.at += 200;
    loop.wheel().advance();
    ASSERT_TRUE(only.why);
    EXPECT_EQ(only.why->code, Reason::upstream_timeout_connect);
    EXPECT_EQ(only.why->retry, Retry::yes);
}

TEST_F(SharedDialsTest, NobodyWaitsWhereConnectionsCarryOneStream) {
    const SharedDials::Making making(dials, "a");
    Request& waits = request();
    dials.found_single("a");
    EXPECT_TRUE(waits.ended);
    EXPECT_FALSE(dials.worth_waiting("a"));
}

}  // namespace
}  // namespace proxyd::upstream
