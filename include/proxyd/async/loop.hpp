#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "proxyd/async/batch.hpp"
#include "proxyd/async/deadline_wheel.hpp"

namespace proxyd::async {

/// One io_context and one deadline wheel, run by one thread. Everything that hangs on a loop is
/// touched by its thread only; post() is the one door for other threads (the mailbox). Descriptors
/// are assigned and closed by the owning thread (UNSAFE_IO allows nothing else).
class Loop {
  public:
    explicit Loop(const Clock& clock = coarse_clock());
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs until stop(). An exception out of a handler is a bug: logged, then abort.
    void run();
    /// From any thread.
    void stop() { io_.stop(); }

    /// Runs `work` on the loop's thread, never inside the caller. From any thread.
    template <class Work>
    void post(Work&& work) {
        boost::asio::post(io_, std::forward<Work>(work));
    }

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] Batch& batch() noexcept { return batch_; }
    [[nodiscard]] DeadlineWheel& wheel() noexcept { return wheel_; }
    [[nodiscard]] Milliseconds now() const noexcept { return wheel_.now(); }

  private:
    boost::asio::io_context io_;
    Batch batch_{io_};
    DeadlineWheel wheel_;
};

}  // namespace proxyd::async
