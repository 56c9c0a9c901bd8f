#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

#include "proxyd/base/task.hpp"

namespace proxyd::async {
class Loop;
}

namespace proxyd::upstream {

class Group;
struct PickRequest;

/// The requests, of all workers, that wait until a server is below its max_conns: who came first
/// is served first. Whoever gives a place back serves the line; nobody takes the lock while it is
/// empty. Any thread.
class WaitingLine {
  public:
    /// One of them. Belongs to its request, whose coroutine waits for `woken` on its loop.
    struct Waiter {
        Waiter(const Group& its_group, const PickRequest& its_request, async::Loop& its_loop,
               bool its_retry) noexcept
            : group(its_group), request(its_request), loop(its_loop), retry(its_retry) {}
        const Group& group;
        const PickRequest& request;
        async::Loop& loop;
        const bool retry;   ///< has tried peers: a free place may be none for it
        Event woken;        ///< loop's thread
        bool gone = false;  ///< loop's thread: what was posted for it comes too late

      private:
        friend class WaitingLine;
        int granted_ = -1;
        bool standing_ = false;
        std::list<std::shared_ptr<Waiter>>::iterator place_;
    };

    /// How many stand in it.
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(); }
    /// False: `limit` stand there already.
    [[nodiscard]] bool join(std::shared_ptr<Waiter> waiter, std::size_t limit);
    /// The peer at which a place was taken for it, -1: none. Either way it stands there no more.
    [[nodiscard]] int leave(Waiter& waiter);
    /// Takes places for those in front as long as there are some, and wakes them.
    void serve();

  private:
    void remove(Waiter& waiter);

    std::mutex mutex_;
    std::list<std::shared_ptr<Waiter>> line_;
    std::atomic<std::size_t> size_{0};  ///< written under the lock
};

}  // namespace proxyd::upstream
