#pragma once

#include "support/wire.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace proxyd::test {

// Opens once; whoever waits goes on.
class Gate {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

    [[nodiscard]] bool wait(Duration limit = kLimit) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [this] { return open_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

// A value under a lock with waiting for a condition on it.
template <typename Value>
class Watched {
  public:
    template <typename Change>
    void change(Change change) {
        const std::lock_guard lock(mutex_);
        change(value_);
        changed_.notify_all();
    }

    [[nodiscard]] Value get() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }

    template <typename Condition>
    [[nodiscard]] bool wait(Condition condition, Duration limit = kLimit) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] { return condition(std::as_const(value_)); });
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Value value_{};
};

// For what has no notification (files, counters of the kernel): asks again until true.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition, Duration limit = kLimit) {
    const Deadline deadline(limit);
    while (!condition()) {
        if (deadline.passed()) {
            return false;
        }
        std::this_thread::sleep_for(Duration(2));
    }
    return true;
}

}  // namespace proxyd::test
