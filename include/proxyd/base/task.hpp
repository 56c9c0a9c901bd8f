#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace proxyd {

/// Whom a task that nobody awaits belongs to. Hears of its end, after its frame is gone.
class TaskParent {
  public:
    virtual void task_ended(std::exception_ptr failure) noexcept = 0;

  protected:
    ~TaskParent() = default;
};

namespace detail {

/// Coroutine frames come from a free list of the thread (classes of 16 bytes, up to 2 KiB), so a
/// request allocates nothing in the steady state. A frame is freed on the thread that made it.
void* allocate_frame(std::size_t bytes);
void free_frame(void* frame, std::size_t bytes) noexcept;
/// Ends the program when the frame made last does not begin where the coroutine's handle says.
/// g++ 12 lays some frames out with a word too many in front (docs/contributing.md); their first
/// resumption would destroy them.
void check_frame(void* handle) noexcept;

struct TaskPromiseBase {
    std::coroutine_handle<> continuation;
    TaskParent* parent = nullptr;  ///< instead of a continuation
    std::exception_ptr failure;
    bool started_inline = false;

    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
        free_frame(frame, bytes);
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    /// While the parent is still inside its await_suspend the child just stops: the parent sees
    /// done() and goes on. So the stack stays flat without relying on the tail-call optimisation.
    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            auto& promise = self.promise();
            if (TaskParent* const parent = promise.parent) {
                std::exception_ptr failure = std::move(promise.failure);
                self.destroy();
                parent->task_ended(std::move(failure));
                return std::noop_coroutine();
            }
            return promise.started_inline ? std::noop_coroutine() : promise.continuation;
        }
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() const noexcept { return {}; }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
    std::optional<T> value;
    auto get_return_object() noexcept {
        const auto handle = std::coroutine_handle<TaskPromise>::from_promise(*this);
        check_frame(handle.address());
        return handle;
    }
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
    auto get_return_object() noexcept {
        const auto handle = std::coroutine_handle<TaskPromise>::from_promise(*this);
        check_frame(handle.address());
        return handle;
    }
    void return_void() const noexcept {}
};

}  // namespace detail

/// A lazy coroutine, awaited exactly once by its parent, on one thread. A function that already
/// knows its result returns `Task<T>(value)` and pays for no frame. Destroying a Task destroys the
/// suspended frame; an exception is rethrown to the parent.
template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    // NOLINTNEXTLINE(google-explicit-constructor): made by the coroutine machinery
    Task(Handle handle) noexcept : handle_(handle) {}
    explicit Task(T value) : value_(std::move(value)) {}
    Task(Task&& other) noexcept
        : handle_(std::exchange(other.handle_, {})), value_(std::move(other.value_)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    [[nodiscard]] bool await_ready() const noexcept { return value_.has_value(); }
    bool await_suspend(std::coroutine_handle<> parent) {
        auto& promise = handle_.promise();
        promise.continuation = parent;
        promise.started_inline = true;
        handle_.resume();
        if (handle_.done()) return false;
        promise.started_inline = false;
        return true;
    }
    T await_resume() {
        if (value_) return std::move(*value_);
        auto& promise = handle_.promise();
        if (promise.failure) std::rethrow_exception(promise.failure);
        return std::move(*promise.value);
    }

  private:
    Handle handle_;
    std::optional<T> value_;
};

template <>
class [[nodiscard]] Task<void> {
  public:
    using promise_type = detail::TaskPromise<void>;
    using Handle = std::coroutine_handle<promise_type>;

    // NOLINTNEXTLINE(google-explicit-constructor): made by the coroutine machinery
    Task(Handle handle) noexcept : handle_(handle) {}
    Task() noexcept = default;  ///< already complete
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    [[nodiscard]] bool await_ready() const noexcept { return !handle_; }
    bool await_suspend(std::coroutine_handle<> parent) {
        auto& promise = handle_.promise();
        promise.continuation = parent;
        promise.started_inline = true;
        handle_.resume();
        if (handle_.done()) return false;
        promise.started_inline = false;
        return true;
    }
    /// Runs it up to its first suspension as a child of `parent`, which outlives it.
    void start(TaskParent& parent) && {
        if (!handle_) return parent.task_ended(nullptr);
        const Handle handle = std::exchange(handle_, {});
        handle.promise().parent = &parent;
        handle.resume();
    }
    void await_resume() {
        if (handle_ && handle_.promise().failure) {
            std::rethrow_exception(handle_.promise().failure);
        }
    }

  private:
    Handle handle_;
};

/// A single-waiter, single-thread signal. wait() returns at once when set() came first; each wait
/// consumes one set. Resumes the waiter inside set().
class Event {
  public:
    void set() {
        set_ = true;
        if (waiter_) std::exchange(waiter_, {}).resume();
    }
    void clear() noexcept { set_ = false; }
    [[nodiscard]] bool waiting() const noexcept { return static_cast<bool>(waiter_); }

    auto wait() noexcept {
        struct Awaiter {
            Event& event;
            bool await_ready() const noexcept { return event.set_; }
            void await_suspend(std::coroutine_handle<> handle) noexcept { event.waiter_ = handle; }
            void await_resume() const noexcept { event.set_ = false; }
        };
        return Awaiter{*this};
    }

  private:
    std::coroutine_handle<> waiter_;
    bool set_ = false;
};

}  // namespace proxyd
