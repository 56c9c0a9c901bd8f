#pragma once

#include <cstddef>

#include "proxyd/base/task.hpp"

namespace proxyd::async {

/// The parent of concurrent tasks on one thread: nothing is detached. spawn() runs the task up to
/// its first suspension; join() returns when the last one has ended. The scope must outlive its
/// tasks (asserted). Cancelling is the owner's business: reset what the tasks wait for.
class TaskScope final : private TaskParent {
  public:
    TaskScope() = default;
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;
    ~TaskScope();

    void spawn(Task<void> task);
    [[nodiscard]] std::size_t size() const noexcept { return running_; }
    /// One caller at a time.
    Task<void> join();

  private:
    void task_ended(std::exception_ptr failure) noexcept override;

    std::size_t running_ = 0;
    Event idle_;
};

}  // namespace proxyd::async
