#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/task.hpp"

namespace proxyd::async {

/// A few threads for work that blocks: files. Owned by what outlives every loop that asks; any
/// thread may submit. Work starts in the order it came. The threads start with the first work; the
/// destructor does all that was taken, then joins them.
class Offload {
  public:
    using Work = std::function<void()>;

    explicit Offload(unsigned threads, std::size_t most_waiting = 4096, std::string name = "disk");
    Offload(const Offload&) = delete;
    Offload& operator=(const Offload&) = delete;
    ~Offload();

    /// False: so much waits already that `work` was not taken.
    [[nodiscard]] bool submit(Work work);
    /// For what must not get lost and whose number is bounded elsewhere.
    void submit_always(Work work);
    [[nodiscard]] std::size_t waiting() const;
    /// The destructor has begun: long work may stop.
    [[nodiscard]] bool ending() const noexcept { return ending_; }

    /// The result of `work()`, done by one of the threads; none when it was not taken. On the
    /// loop's thread. Who destroys the task does not hear of the result any more; the work itself
    /// is done all the same, so it owns what it touches.
    template <class Function, class Value = std::invoke_result_t<Function&>>
    Task<std::optional<Value>> run(Loop& loop, Function work);

  private:
    void enqueue(Work work, std::unique_lock<std::mutex>& lock);
    void serve();

    const unsigned most_threads_;
    const std::size_t most_waiting_;
    const std::string name_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> waiting_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    std::atomic<bool> ending_{false};
};

namespace detail {

/// What a waiting coroutine and the work share. While somebody waits, his loop is there.
template <class Value>
struct OffloadTicket {
    std::mutex mutex;
    Event* waiter = nullptr;      ///< changed by the loop's thread, under the lock
    std::optional<Value> result;  ///< the work's until it posts
};

}  // namespace detail

template <class Function, class Value>
Task<std::optional<Value>> Offload::run(Loop& loop, Function work) {
    using Ticket = detail::OffloadTicket<Value>;
    struct Listening {
        Listening(Ticket& its_ticket, Event& event) : ticket(its_ticket) { ticket.waiter = &event; }
        Listening(const Listening&) = delete;
        Listening& operator=(const Listening&) = delete;
        ~Listening() {
            const std::lock_guard lock(ticket.mutex);
            ticket.waiter = nullptr;
        }
        Ticket& ticket;
    };
    Event done;
    auto ticket = std::make_shared<Ticket>();
    const Listening listening(*ticket, done);
    auto job = [ticket, &loop, work = std::move(work)]() mutable {
        ticket->result.emplace(work());
        const std::lock_guard lock(ticket->mutex);
        if (ticket->waiter == nullptr) return;
        loop.post([ticket] {
            if (ticket->waiter != nullptr) ticket->waiter->set();
        });
    };
    if (!submit(std::move(job))) co_return std::optional<Value>();
    co_await done.wait();
    co_return std::move(ticket->result);
}

}  // namespace proxyd::async
