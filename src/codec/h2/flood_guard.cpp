#include "flood_guard.hpp"

namespace proxyd::codec::h2 {

/// DATA that says something and HEADERS have limits of their own.
std::uint32_t FloodGuard::cost(const FrameHead& frame) noexcept {
    switch (frame.type) {
        case FrameType::data:
            return frame.length == 0 && !frame.ends_stream() ? 1 : 0;
        case FrameType::headers:
            return 0;
        default:
            return 1;
    }
}

bool FloodGuard::take(const FrameHead& frame, async::Milliseconds now) noexcept {
    const std::uint32_t price = cost(frame);
    if (price == 0) return true;
    const bool may_follow = frame.type == FrameType::window_update || frame.type == FrameType::ping;
    if (may_follow && credit_ != 0) {
        --credit_;
        return true;
    }
    if (now - frames_since_ >= kStretch) {
        frames_since_ = now;
        frames_ = 0;
    }
    frames_ += price;
    if (frames_ <= kFramesInStretch) return true;
    verdict_ = "more frames without use than kept for 10 seconds";
    return false;
}

bool FloodGuard::take_reset(async::Milliseconds now) noexcept {
    if (max_resets_ == 0) return true;
    if (now - resets_since_ >= kMinute) {
        resets_since_ = now;
        resets_ = 0;
    }
    if (++resets_ <= max_resets_) return true;
    verdict_ = "more resets of streams than client.http2.max_resets_per_minute";
    return false;
}

}  // namespace proxyd::codec::h2
