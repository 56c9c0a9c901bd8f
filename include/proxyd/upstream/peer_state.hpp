#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxyd/base/error.hpp"
#include "proxyd/upstream/address_book.hpp"
#include "proxyd/upstream/slow_start.hpp"
#include "proxyd/upstream/waiting_line.hpp"
#include "proxyd/upstream/retry_budget.hpp"

namespace proxyd::upstream {

/// What an operator ordered while the daemon runs; survives reloads.
enum class Admin : std::uint8_t {
    up,
    drain,  ///< no new clients: only those that a sticky cookie sends there
    down,   ///< no requests
};

/// What all workers know of one address of an upstream; survives reloads as long as the upstream
/// keeps its name and the address. Counters are relaxed atomics on a cache line of their own.
class alignas(64) PeerState {
  public:
    explicit PeerState(std::size_t id);
    /// Dense; index of the workers' pools.
    [[nodiscard]] std::size_t id() const noexcept { return id_; }

    std::atomic<Admin> admin{Admin::up};
    std::atomic<bool> unhealthy{false};  ///< found by the active checks

    void order(Admin what) noexcept;
    void set_unhealthy(bool value) noexcept;

    std::atomic<std::uint64_t> in_flight{0};  ///< enter() and leave() count
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> failures{0};
    std::atomic<std::uint64_t> idle{0};  ///< pooled connections of all workers

    /// Counts one request in, or says that `limit` (0 = none) of them are there: never one more,
    /// whatever the other workers do.
    [[nodiscard]] bool enter(std::uint64_t limit) noexcept {
        if (limit == 0) {
            in_flight.fetch_add(1, std::memory_order_relaxed);
            return true;
        }
        std::uint64_t count = in_flight.load(std::memory_order_relaxed);
        while (count < limit) {
            if (in_flight.compare_exchange_weak(count, count + 1)) return true;
        }
        return false;
    }
    void leave() noexcept { in_flight.fetch_sub(1); }

    /// Neither an operator nor the active checks keep requests away.
    [[nodiscard]] bool in_service() const noexcept {
        return admin.load(std::memory_order_relaxed) == Admin::up &&
               !unhealthy.load(std::memory_order_relaxed);
    }
    /// Whether a request may go there at `now` (ms, monotonic). After fail_timeout one caller is
    /// let through as the trial; the others wait for its outcome.
    [[nodiscard]] bool admit(std::int64_t now, std::int64_t fail_timeout) noexcept;
    [[nodiscard]] bool failed_at(std::int64_t now) const noexcept {
        return down_until_.load(std::memory_order_relaxed) > now;
    }
    void succeeded() noexcept;
    /// Ends its rest, if it has one, and forgets the failures that led to it.
    void end_rest() noexcept;
    /// True when this failure takes the peer out.
    bool failed(std::int64_t now, unsigned max_fails, std::int64_t fail_timeout, Reason why);
    [[nodiscard]] Reason last_failure() const noexcept {
        return last_failure_.load(std::memory_order_relaxed);
    }
    /// When what in_service() and failed_at() say changed last (ms, monotonic).
    [[nodiscard]] std::int64_t since(std::int64_t now) const noexcept;

    /// What the active checks saw; `last`: why the last one failed, "passed", or "" before it.
    struct Checks {
        std::uint64_t passed = 0, failed = 0;
        std::string last;
    };
    void note_check(bool passed, std::string_view cause);
    [[nodiscard]] Checks checks() const;

  private:
    void changed() noexcept;

    const std::size_t id_;
    std::atomic<std::int64_t> down_until_{0};    ///< 0 = up
    std::atomic<std::int64_t> window_start_{0};
    std::atomic<unsigned> fails_{0};
    std::atomic<Reason> last_failure_{Reason::none};

  public:
    SlowStart slow_start;  ///< from here on: nothing that every choice reads

  private:
    std::atomic<std::int64_t> since_;
    mutable std::mutex checks_mutex_;  ///< never taken by a request
    Checks checks_;
};

struct GroupState {
    alignas(64) std::atomic<std::uint64_t> sequence{0};
    alignas(64) std::atomic<std::uint64_t> backup_sequence{0};
    alignas(64) WaitingLine waiting;  ///< for a server below its max_conns
    alignas(64) RetryBudget budget;
    std::atomic<std::int64_t> ceiling_told{0};  ///< when the log last heard of max_ejected
};

/// The named state of all groups: at load time asked for by every new generation, so that the
/// same upstream keeps its counters. Thread-safe.
class StateRegistry {
  public:
    std::shared_ptr<GroupState> group(const std::string& upstream);
    std::shared_ptr<PeerState> peer(const std::string& upstream, const std::string& address);
    [[nodiscard]] AddressBook& addresses() noexcept { return addresses_; }
    /// Lets go of what no generation uses any more.
    void forget_unused();
    /// Groups and peers that it knows of.
    [[nodiscard]] std::size_t size() const;

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<GroupState>> groups_;
    struct Known {
        std::weak_ptr<PeerState> state;
        std::size_t id = 0;
    };
    std::size_t take_id();

    std::unordered_map<std::string, Known> peers_;
    std::vector<std::size_t> free_ids_;  ///< of peers that no pool and no generation has any more
    std::size_t next_id_ = 0;
    AddressBook addresses_;
};

}  // namespace proxyd::upstream
