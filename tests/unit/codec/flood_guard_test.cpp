#include "codec/h2/flood_guard.hpp"

#include <gtest/gtest.h>

namespace proxyd::codec::h2 {
namespace {

constexpr FrameHead kPing{FrameType::ping, 0, 0, 8}, kUpdate{FrameType::window_update, 0, 0, 4};
constexpr FrameHead kEmptyData{FrameType::data, 0, 1, 0}, kLastData{FrameType::data, 1, 1, 0};
constexpr FrameHead kData{FrameType::data, 0, 1, 10}, kHeaders{FrameType::headers, 4, 1, 50};

int frames_until_refused(FloodGuard& guard, const FrameHead& frame, async::Milliseconds now) {
    int count = 0;
    while (count < 100'000 && guard.take(frame, now)) ++count;
    return count;
}

TEST(FloodGuard, FramesWithoutUseHaveALimitForEachStretch) {
    for (const FrameHead& frame : {kPing, kUpdate, kEmptyData}) {
        FloodGuard guard(10, 0);
        const int most = FloodGuard::kFramesInStretch;
        EXPECT_EQ(frames_until_refused(guard, frame, 0), most);
        EXPECT_FALSE(guard.verdict().empty());
        EXPECT_EQ(frames_until_refused(guard, frame, 10'000), most);
    }
}

TEST(FloodGuard, FramesOfUseAreFree) {
    FloodGuard guard(10, 0);
    for (const FrameHead& frame : {kLastData, kData, kHeaders}) {
        EXPECT_EQ(frames_until_refused(guard, frame, 0), 100'000);
    }
}

TEST(FloodGuard, DataEarnsUpdatesAndPings) {
    for (const FrameHead& frame : {kUpdate, kPing}) {
        FloodGuard guard(10, 0);
        for (int i = 0; i < 1000; ++i) guard.sent_data();
        EXPECT_EQ(frames_until_refused(guard, frame, 0), int(FloodGuard::kFramesInStretch) + 4000);
        EXPECT_EQ(frames_until_refused(guard, frame, 0), 0);
    }
    FloodGuard guard(10, 0);
    for (int i = 0; i < 1000; ++i) guard.sent_data();
    EXPECT_EQ(frames_until_refused(guard, kEmptyData, 0), int(FloodGuard::kFramesInStretch));
}

TEST(FloodGuard, ResetsHaveALimitForEachMinute) {
    FloodGuard guard(3, 0);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(guard.take_reset(59'999));
    }
    EXPECT_FALSE(guard.take_reset(59'999));
    EXPECT_TRUE(guard.take_reset(60'000));
    FloodGuard without(0, 0);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(without.take_reset(0));
    }
}

}  // namespace
}  // namespace proxyd::codec::h2
