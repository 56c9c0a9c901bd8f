#pragma once

#include <cstdint>
#include <string_view>

#include "proxyd/async/deadline_wheel.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// Counts what a client can make us do without being of use to itself (robustness.md section 4):
/// resets of streams for each minute, and frames that carry nothing for each stretch of ten
/// seconds. Part of the connection. Frames that follow from our DATA are free.
class FloodGuard {
  public:
    FloodGuard(std::uint32_t max_resets_per_minute, async::Milliseconds now) noexcept
        : max_resets_(max_resets_per_minute), resets_since_(now), frames_since_(now) {}

    /// A frame of the client. False: that was one too many.
    [[nodiscard]] bool take(const FrameHead& frame, async::Milliseconds now) noexcept;
    /// A stream that ended by RST_STREAM or was refused, whoever sent it. False: see above.
    [[nodiscard]] bool take_reset(async::Milliseconds now) noexcept;
    /// DATA that we sent; the client acknowledges it with WINDOW_UPDATE, and gRPC measures the way
    /// with a PING. `whole`: no window cut it off, it is as small as the backend made it.
    void sent_data(std::size_t bytes, bool whole) noexcept {
        const bool of_use = whole || bytes >= kWorthAnUpdate;
        if (of_use && credit_ < kMostCredit) credit_ += kFramesForData;
    }
    /// What was too much.
    [[nodiscard]] std::string_view verdict() const noexcept { return verdict_; }

    static constexpr std::uint32_t kFramesInStretch = 2000;

  private:
    [[nodiscard]] static std::uint32_t cost(const FrameHead& frame) noexcept;

    /// Less than that is what an attacker with tiny windows wants.
    static constexpr std::size_t kWorthAnUpdate = 64;
    static constexpr std::uint32_t kFramesForData = 4, kMostCredit = 64 * 1024;
    static constexpr async::Milliseconds kStretch = 10'000, kMinute = 60'000;

    std::uint32_t max_resets_;
    std::uint32_t resets_ = 0, frames_ = 0, credit_ = 0;
    async::Milliseconds resets_since_, frames_since_;
    std::string_view verdict_;
};

}  // namespace proxyd::codec::h2
