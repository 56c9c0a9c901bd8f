#pragma once

#include <functional>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/descriptor.hpp"

namespace proxyd::net {

/// A listening socket on a loop: says when connections wait in its queue. Owned by its acceptor; on
/// the loop's thread. Destroying it closes the socket, and `ready` is not called any more.
class ListenEvents {
  public:
    ListenEvents(async::Loop& loop, Descriptor socket, std::function<void()> ready);
    ListenEvents(const ListenEvents&) = delete;
    ListenEvents& operator=(const ListenEvents&) = delete;
    ~ListenEvents();

    [[nodiscard]] int descriptor() const noexcept;
    /// Calls `ready` once. `emptied`: accept4 has just found the queue empty, so that only a new
    /// connection counts; otherwise the kernel is asked what the queue holds (one system call).
    void wait(bool emptied);

  private:
    struct State;
    State* state_;  ///< outlives this while a wait is pending
};

}  // namespace proxyd::net
