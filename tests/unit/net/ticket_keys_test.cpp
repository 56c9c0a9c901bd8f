#include "proxyd/net/tls/ticket_keys.hpp"

#include <gtest/gtest.h>

namespace proxyd::net::tls {
namespace {

class HandClock final : public async::Clock {
  public:
    [[nodiscard]] async::Milliseconds now() const noexcept override { return now_; }
    void advance(std::chrono::milliseconds by) { now_ += by.count(); }

  private:
    async::Milliseconds now_ = 1'000'000;
};

class TicketKeysTest : public testing::Test {
  protected:
    HandClock clock;
    TicketKeys keys{clock};
    std::chrono::milliseconds moment{1};
};

TEST_F(TicketKeysTest, OneKeyServesUntilItsTimeIsOver) {
    const auto first = keys.current();
    ASSERT_NE(first, nullptr);
    clock.advance(TicketKeys::kRotateEvery - moment);
    EXPECT_EQ(keys.current(), first);
    clock.advance(moment);
    const auto second = keys.current();
    EXPECT_NE(second, first);
    EXPECT_NE(second->name, first->name);
    EXPECT_NE(second->encryption, first->encryption);
    EXPECT_NE(second->authentication, first->authentication);
}

TEST_F(TicketKeysTest, AnOldKeyOpensTicketsAsLongAsTheyMayBeUsed) {
    const auto first = keys.current();
    clock.advance(TicketKeys::kRotateEvery);
    EXPECT_EQ(keys.find(first->name.data()), first);
    // The last ticket was made with it just before the rotation.
    clock.advance(TicketKeys::kLifetime - moment);
    EXPECT_EQ(keys.find(first->name.data()), first);
    clock.advance(moment);
    EXPECT_EQ(keys.find(first->name.data()), nullptr);
}

TEST_F(TicketKeysTest, AfterALongSleepOnlyTheNewOneIsLeft) {
    const auto first = keys.current();
    clock.advance(std::chrono::hours(1000));
    EXPECT_EQ(keys.find(first->name.data()), nullptr);
    EXPECT_NE(keys.current(), nullptr);
}

TEST_F(TicketKeysTest, WhatNobodyMadeIsUnknown) {
    const std::array<unsigned char, TicketKeys::kNameBytes> name{};
    EXPECT_EQ(keys.find(name.data()), nullptr);
    TicketKeys others(clock);
    EXPECT_EQ(keys.find(others.current()->name.data()), nullptr);
}

}  // namespace
}  // namespace proxyd::net::tls
