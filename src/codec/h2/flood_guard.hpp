#pragma once

#include <cstdint>
#include <string_view>

#include "proxyd/async/deadline_wheel.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// Counts what a client can make us do without being of use to itself (robustness.md section 4):
/// resets of streams for each minute, and frames that carry nothing for each stretch of ten
/// seconds. Part of the connection. What follows from our DATA is free: WINDOW_UPDATE, and PING as
/// gRPC sends it to measure the line.
class FloodGuard {
  public:
    FloodGuard(std::uint32_t max_resets_per_minute, async::Milliseconds now) noexcept
        : max_resets_(max_resets_per_minute), resets_since_(now), frames_since_(now) {}

    /// A frame of the client. False: that was one too many.
    [[nodiscard]] bool take(const FrameHead& frame, async::Milliseconds now) noexcept;
    /// A stream that ended by RST_STREAM or was refused, whoever sent it. False: see above.
    [[nodiscard]] bool take_reset(async::Milliseconds now) noexcept;
    /// DATA that we sent and that says something.
    void sent_data() noexcept {
        if (credit_ < kMostCredit) credit_ += kFramesForData;
    }
    /// What was too much.
    [[nodiscard]] std::string_view verdict() const noexcept { return verdict_; }

    static constexpr std::uint32_t kFramesInStretch = 2000;
    /// DATA of less than that, cut to it by a window of the peer, is what an attacker wants.
    static constexpr std::size_t kTiny = 64;

  private:
    [[nodiscard]] static std::uint32_t cost(const FrameHead& frame) noexcept;

    static constexpr std::uint32_t kFramesForData = 4, kMostCredit = 64 * 1024;
    static constexpr async::Milliseconds kStretch = 10'000, kMinute = 60'000;

    std::uint32_t max_resets_;
    std::uint32_t resets_ = 0, frames_ = 0, credit_ = 0;
    async::Milliseconds resets_since_, frames_since_;
    std::string_view verdict_;
};

/// Whether DATA that we sent was worth a frame: no crumb that a tiny window made.
[[nodiscard]] inline bool says_something(const Session& session, const FrameHead& frame) noexcept {
    return frame.length >= FloodGuard::kTiny ||
           (frame.length != 0 && session.has_window(frame.stream));
}

}  // namespace proxyd::codec::h2
