#include "cache/disk/trouble.hpp"

#include <cstring>

#include "proxyd/base/log.hpp"

namespace proxyd::cache::disk {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSayAgain{60};

std::int64_t count(Clock::time_point moment) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count();
}

}  // namespace

bool Trouble::may_write(Clock::time_point now) noexcept {
    if (writable()) return true;
    std::int64_t due = try_at_.load(std::memory_order_relaxed);
    if (count(now) < due) return false;
    return try_at_.compare_exchange_strong(due, count(now + kPause), std::memory_order_relaxed);
}

void Trouble::write_failed(int error) {
    try_at_.store(count(Clock::now() + kPause), std::memory_order_relaxed);
    if (write_error_.exchange(error, std::memory_order_relaxed) == error) return;
    log::error("cache '{}': cannot write below {}: {}; answers pass without being kept on disk",
               zone_, path_, std::strerror(error));
}

void Trouble::write_worked() {
    if (writable()) return;
    if (write_error_.exchange(0, std::memory_order_relaxed) == 0) return;
    log::info("cache '{}': {} can be written again", zone_, path_);
}

void Trouble::read_failed(int error) {
    if (read_error_.exchange(error, std::memory_order_relaxed) == error) return;
    log::error("cache '{}': cannot read below {}: {}; what is there is fetched again", zone_, path_,
               std::strerror(error));
}

void Trouble::read_worked() {
    if (read_error_.load(std::memory_order_relaxed) == 0) return;
    if (read_error_.exchange(0, std::memory_order_relaxed) == 0) return;
    log::info("cache '{}': {} can be read again", zone_, path_);
}

/// Whether a thing that happens often may be said once more.
bool Trouble::due(std::atomic<std::int64_t>& said_at) noexcept {
    const std::int64_t now = count(Clock::now());
    std::int64_t said = said_at.load(std::memory_order_relaxed);
    const bool long_ago = said == 0 || now - said > std::chrono::nanoseconds(kSayAgain).count();
    return long_ago && said_at.compare_exchange_strong(said, now);
}

void Trouble::too_slow() {
    if (!due(slow_said_at_)) return;
    log::warn(
        "cache '{}': the disk of {} is slower than what is to be stored; some answers pass "
        "without being kept",
        zone_, path_);
}

void Trouble::found_broken(const std::string& file) {
    const std::uint64_t number = ++broken_;
    if (!due(broken_said_at_)) return;
    log::warn("cache '{}': {} is broken, torn or of another version and was removed ({} so far)",
              zone_, file, number);
}

}  // namespace proxyd::cache::disk
