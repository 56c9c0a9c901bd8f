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
/// is served first, unless a place is none for it (of an older generation, a retry, not at home on
/// a server that drains). Whoever gives a place back serves the line; nobody takes the lock while
/// it is empty. Any thread.
class WaitingLine {
    struct Part;

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
        Part* part_ = nullptr;
    };

    /// How many stand in it.
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(); }
    /// False: `limit` stand there already, and no place is free that none of them can have.
    [[nodiscard]] bool join(std::shared_ptr<Waiter> waiter, std::size_t limit);
    /// The peer at which a place was taken for it, -1: none. Either way it stands there no more.
    [[nodiscard]] int leave(Waiter& waiter);
    /// Takes places for those in front as long as there are some, and wakes them.
    void serve();

  private:
    /// Those of one generation, for whom the same servers and limits hold.
    struct Part {
        const Group* group;
        std::list<std::shared_ptr<Waiter>> line{};
        std::size_t particular = 0;  ///< of them: retries, and those who have a home
    };
    Part& part_of(const Group& group);
    void remove(Waiter& waiter);
    void forget_empty_parts();
    void serve_all();
    void serve(Part& part);
    bool grant(const std::shared_ptr<Waiter>& waiter);

    std::mutex mutex_;
    std::list<Part> parts_;             ///< the oldest first
    std::atomic<std::size_t> size_{0};  ///< of all parts; written under the lock
};

}  // namespace proxyd::upstream
