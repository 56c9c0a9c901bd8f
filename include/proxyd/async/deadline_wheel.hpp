#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>

namespace proxyd::async {

/// Milliseconds of the coarse monotonic clock.
using Milliseconds = std::int64_t;

/// The clock of a loop; tests put a hand-driven one in its place.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Milliseconds now() const noexcept = 0;
};
/// CLOCK_MONOTONIC_COARSE: 4 ms steps, no system call.
[[nodiscard]] const Clock& coarse_clock() noexcept;

class DeadlineWheel;

/// A moment at which `expired` is called once, on the loop's thread, at most kTick late. A member
/// of the object it guards; destroying it disarms it. Arming again later costs two stores.
class Deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    using Callback = void (*)(void* context);
    Deadline(DeadlineWheel& wheel, Callback expired, void* context) noexcept
        : wheel_(wheel), expired_(expired), context_(context) {}
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// `after` <= 0 disarms: a limit of 0 means none.
    void arm(std::chrono::milliseconds after);
    void disarm() noexcept { at_ = kNever; }
    [[nodiscard]] bool armed() const noexcept { return at_ != kNever; }

  private:
    friend class DeadlineWheel;
    static constexpr Milliseconds kNever = INT64_MAX;
    DeadlineWheel& wheel_;
    Callback expired_;
    void* context_;
    Milliseconds at_ = kNever;
    Milliseconds slot_at_ = kNever;  ///< when the wheel will look at it
};

/// All deadlines of one loop in slots of kTick. A deadline that was moved to later stays in its
/// slot and is put back when the slot comes up. One timer of the loop serves them all; it sleeps
/// until the next slot that is not empty.
class DeadlineWheel {
  public:
    static constexpr Milliseconds kTick = 16;
    static constexpr std::size_t kSlots = 4096;

    DeadlineWheel(boost::asio::io_context& io, const Clock& clock);
    DeadlineWheel(const DeadlineWheel&) = delete;
    DeadlineWheel& operator=(const DeadlineWheel&) = delete;

    [[nodiscard]] Milliseconds now() const noexcept { return clock_.now(); }
    /// Calls what is due. The timer does this; tests with a hand-driven clock call it themselves.
    void advance();

  private:
    friend class Deadline;
    using Slot = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;

    void insert(Deadline& deadline);
    void expire(Slot& slot, Milliseconds now);
    void schedule();

    const Clock& clock_;
    boost::asio::steady_timer timer_;
    Milliseconds last_;        ///< every slot up to this moment was looked at
    Milliseconds wake_at_;     ///< what the timer is set to
    std::array<Slot, kSlots> slots_;
};

}  // namespace proxyd::async
