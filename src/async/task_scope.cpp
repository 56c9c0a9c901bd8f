#include "proxyd/async/task_scope.hpp"

#include <cassert>
#include <cstdlib>
#include <exception>

#include "proxyd/base/log.hpp"

namespace proxyd::async {

namespace {

[[noreturn]] void die_of(const std::exception_ptr& failure) noexcept {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& known) {
        log::write(log::Level::critical, known.what());
    } catch (...) {
        log::write(log::Level::critical, "an exception of unknown type ended a task");
    }
    std::abort();
}

}  // namespace

TaskScope::~TaskScope() { assert(running_ == 0); }

void TaskScope::spawn(Task<void> task) {
    ++running_;
    std::move(task).start(*this);
}

void TaskScope::task_ended(std::exception_ptr failure) noexcept {
    if (failure) die_of(failure);
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
