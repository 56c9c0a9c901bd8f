#include "proxyd/async/deadline_wheel.hpp"

#include <time.h>

#include <algorithm>

namespace proxyd::async {
namespace {

class CoarseClock final : public Clock {
  public:
    [[nodiscard]] Milliseconds now() const noexcept override {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return static_cast<Milliseconds>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
    }
};

constexpr Milliseconds kNotSet = INT64_MAX;
/// While slots are being looked at nothing sets the timer; the scan behind it does.
constexpr Milliseconds kAdvancing = INT64_MIN;
/// The coarse clock lags by up to one step of the kernel's timer.
constexpr Milliseconds kClockStep = 4;
constexpr Milliseconds kHorizon =
    DeadlineWheel::kTick * static_cast<Milliseconds>(DeadlineWheel::kSlots - 1);

constexpr Milliseconds round_up(Milliseconds at) {
    return (at + DeadlineWheel::kTick - 1) / DeadlineWheel::kTick * DeadlineWheel::kTick;
}

constexpr std::size_t slot_index(Milliseconds at) {
    return static_cast<std::size_t>(at / DeadlineWheel::kTick) % DeadlineWheel::kSlots;
}

}  // namespace

const Clock& coarse_clock() noexcept {
    static const CoarseClock clock;
    return clock;
}

void Deadline::arm(std::chrono::milliseconds after) {
    if (after.count() <= 0) return disarm();
    at_ = wheel_.now() + after.count();
    if (at_ < slot_at_) wheel_.insert(*this);
}

DeadlineWheel::DeadlineWheel(boost::asio::io_context& io, const Clock& clock)
    : clock_(clock), timer_(io), last_(round_up(clock.now()) - kTick), wake_at_(kNotSet) {}

void DeadlineWheel::insert(Deadline& deadline) {
    deadline.unlink();
    deadline.slot_at_ = std::clamp(round_up(deadline.at_), last_ + kTick, last_ + kHorizon);
    slots_[slot_index(deadline.slot_at_)].push_back(deadline);
    if (deadline.slot_at_ < wake_at_) {
        wake_at_ = deadline.slot_at_;
        schedule();
    }
}

void DeadlineWheel::advance() {
    const Milliseconds now = clock_.now();
    // After a long sleep each slot is looked at once, not once for every turn that was missed.
    const Milliseconds from = std::max(last_ + kTick, round_up(now) - kHorizon);
    for (Milliseconds at = from; at <= now; at += kTick) {
        last_ = at;
        Slot& slot = slots_[slot_index(at)];
        if (!slot.empty()) expire(slot, now);
    }
}

void DeadlineWheel::expire(Slot& slot, Milliseconds now) {
    Slot due;
    due.splice(due.end(), slot);
    while (!due.empty()) {
        Deadline& deadline = due.front();
        due.pop_front();
        deadline.slot_at_ = Deadline::kNever;
        if (deadline.at_ > now) {
            if (deadline.armed()) insert(deadline);
            continue;
        }
        deadline.at_ = Deadline::kNever;
        deadline.expired_(deadline.context_);
    }
}

void DeadlineWheel::schedule() {
    const auto when = std::chrono::steady_clock::time_point(
        std::chrono::milliseconds(wake_at_ + kClockStep));
    timer_.expires_at(when);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;  // set to an earlier moment, or the loop is going down
        wake_at_ = kAdvancing;
        advance();
        wake_at_ = kNotSet;
        for (std::size_t step = 1; step < kSlots; ++step) {
            const Milliseconds at = last_ + kTick * static_cast<Milliseconds>(step);
            if (slots_[slot_index(at)].empty()) continue;
            wake_at_ = at;
            return schedule();
        }
    });
}

}  // namespace proxyd::async
