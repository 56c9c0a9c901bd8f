#include "proxyd/async/task_scope.hpp"

#include <cassert>
#include <cstdlib>
#include <exception>

#include "proxyd/base/log.hpp"

namespace proxyd::async {

/// The root frame of a task: owns it, frees itself at the end.
struct TaskScope::Child {
    struct promise_type {
        TaskScope& scope;
        promise_type(TaskScope& parent, Task<void>&) noexcept : scope(parent) {}

        static void* operator new(std::size_t bytes) { return detail::allocate_frame(bytes); }
        static void operator delete(void* frame, std::size_t bytes) noexcept {
            detail::free_frame(frame, bytes);
        }
        Child get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        /// The frame is freed before the parent hears of it, which may destroy the scope.
        struct Farewell {
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
                TaskScope& scope = self.promise().scope;
                self.destroy();
                scope.ended();
            }
            void await_resume() const noexcept {}
        };
        Farewell final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept {
            try {
                throw;
            } catch (const std::exception& failure) {
                log::write(log::Level::critical, failure.what());
            } catch (...) {
                log::write(log::Level::critical, "an exception of unknown type ended a task");
            }
            std::abort();
        }
    };

    static Child run(TaskScope&, Task<void> task) { co_await std::move(task); }
};

TaskScope::~TaskScope() { assert(running_ == 0); }

void TaskScope::spawn(Task<void> task) {
    ++running_;
    Child::run(*this, std::move(task));
}

void TaskScope::ended() {
    --running_;
    if (running_ == 0 && idle_.waiting()) idle_.set();
}

Task<void> TaskScope::join() {
    if (running_ != 0) {
        idle_.clear();
        co_await idle_.wait();
    }
}

}  // namespace proxyd::async
