#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace proxyd::upstream {

/// The share of its weight that a peer gets after it came back: from almost nothing to all of it
/// in `slow_start`. Those who choose tell what they see; a peer that was never out has its full
/// share, so the start of the daemon ramps nothing. Any thread; written only when it changes.
class SlowStart {
  public:
    static constexpr unsigned kFull = 1024;

    /// The peer was seen, or put, out of service.
    void out() noexcept {
        if (!out_.load(std::memory_order_relaxed)) out_.store(true, std::memory_order_relaxed);
    }
    /// The peer was seen in service at `now` (ms, monotonic).
    void in(std::int64_t now) noexcept {
        if (!out_.load(std::memory_order_relaxed)) return;
        if (out_.exchange(false, std::memory_order_relaxed)) {
            since_.store(now, std::memory_order_relaxed);
        }
    }
    /// 1 .. kFull.
    [[nodiscard]] unsigned share(std::int64_t now, std::int64_t slow_start) const noexcept {
        const std::int64_t since = since_.load(std::memory_order_relaxed);
        if (since == kNever || now - since >= slow_start) return kFull;
        const std::int64_t part = (now - since) * kFull / slow_start;
        return static_cast<unsigned>(std::max<std::int64_t>(part, 1));
    }

  private:
    static constexpr std::int64_t kNever = INT64_MIN / 2;
    std::atomic<bool> out_{false};
    std::atomic<std::int64_t> since_{kNever};
};

}  // namespace proxyd::upstream
