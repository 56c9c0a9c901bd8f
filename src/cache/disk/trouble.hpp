#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace proxyd::cache::disk {

/// What is wrong with the directory of a zone: said once for each cause, and again when it is over.
/// After a failure nothing is written for a while. Any thread.
class Trouble {
  public:
    static constexpr std::chrono::milliseconds kPause{1'000};

    Trouble(std::string zone, std::string path) : zone_(std::move(zone)), path_(std::move(path)) {}

    /// Nothing went wrong lately; or it is time for another try, which is then the caller's.
    [[nodiscard]] bool may_write(std::chrono::steady_clock::time_point now) noexcept;
    void write_failed(int error);
    void write_worked();
    void read_failed(int error);
    void read_worked();
    /// The disk did not take what came within the patience of a fill.
    void too_slow();
    void found_broken(const std::string& file);
    [[nodiscard]] bool writable() const noexcept {
        return write_error_.load(std::memory_order_relaxed) == 0;
    }

  private:
    [[nodiscard]] static bool due(std::atomic<std::int64_t>& said_at) noexcept;

    const std::string zone_, path_;
    std::atomic<int> write_error_{0}, read_error_{0};
    std::atomic<std::int64_t> try_at_{0};                            ///< steady clock, nanoseconds
    std::atomic<std::int64_t> slow_said_at_{0}, broken_said_at_{0};  ///< the same
    std::atomic<std::uint64_t> broken_{0};
};

}  // namespace proxyd::cache::disk
