#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxyd/base/error.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/upstream/address_book.hpp"
#include "proxyd/upstream/peer_set.hpp"

namespace proxyd::net {
class Endpoint;
}

namespace proxyd::upstream {

/// What all workers know of one address of an upstream; survives reloads as long as the upstream
/// keeps its name and the address. Counters are relaxed atomics on a cache line of their own.
class alignas(64) PeerState {
  public:
    explicit PeerState(std::size_t id) : id_(id) {}
    /// Dense; index of the workers' pools.
    [[nodiscard]] std::size_t id() const noexcept { return id_; }

    std::atomic<std::uint64_t> in_flight{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> failures{0};
    std::atomic<std::uint64_t> idle{0};  ///< pooled connections of all workers

    /// Whether a request may go there at `now` (ms, monotonic). After fail_timeout one caller is
    /// let through as the trial; the others wait for its outcome.
    [[nodiscard]] bool admit(std::int64_t now, std::int64_t fail_timeout) noexcept;
    [[nodiscard]] bool failed_at(std::int64_t now) const noexcept;
    void succeeded() noexcept;
    /// True when this failure takes the peer out.
    bool failed(std::int64_t now, unsigned max_fails, std::int64_t fail_timeout, Reason why);
    [[nodiscard]] Reason last_failure() const noexcept {
        return last_failure_.load(std::memory_order_relaxed);
    }

  private:
    const std::size_t id_;
    std::atomic<std::int64_t> down_until_{0};    ///< 0 = up
    std::atomic<std::int64_t> window_start_{0};
    std::atomic<unsigned> fails_{0};
    std::atomic<Reason> last_failure_{Reason::none};
};

struct GroupState {
    alignas(64) std::atomic<std::uint64_t> sequence{0};
    alignas(64) std::atomic<std::uint64_t> backup_sequence{0};
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
    std::unordered_map<std::string, std::weak_ptr<PeerState>> peers_;
    std::size_t next_id_ = 0;
    AddressBook addresses_;
};

/// One address of an upstream.
struct Peer {
    std::string address;  ///< as logged: "127.0.0.1:3000"
    std::shared_ptr<const net::Endpoint> endpoint;
    std::shared_ptr<PeerState> state;
    unsigned weight = 1;
    unsigned max_fails = 3;
    std::int64_t fail_timeout = 10'000;  ///< ms
    bool backup = false;
    bool down = false;
};

/// An upstream of one generation: its peers and the order of choice. Immutable, shared by the
/// workers; the sequence number in its state makes one order of all of them.
class Group {
  public:
    /// Names have the addresses of the registry's book; one without any is left out.
    static std::shared_ptr<const Group> make(std::shared_ptr<const config::Upstream> settings,
                                             StateRegistry& registry);

    [[nodiscard]] const config::Upstream& settings() const noexcept { return *settings_; }
    [[nodiscard]] const std::vector<Peer>& peers() const noexcept { return peers_; }

    /// The next peer that is up and not in `tried`; primaries first, then backups. -1: none.
    [[nodiscard]] int pick(const PeerSet& tried, std::int64_t now) const noexcept;
    void report_failure(const Peer& peer, std::int64_t now, Reason why) const;
    void report_success(const Peer& peer) const noexcept;
    /// Servers that take part: not down by configuration.
    [[nodiscard]] std::size_t usable() const noexcept { return usable_; }

  private:
    [[nodiscard]] int pick_from(const std::vector<std::uint16_t>& order,
                                std::atomic<std::uint64_t>& sequence, const PeerSet& tried,
                                std::int64_t now) const noexcept;

    std::shared_ptr<const config::Upstream> settings_;
    std::shared_ptr<GroupState> state_;
    std::vector<Peer> peers_;
    std::vector<std::uint16_t> primaries_, backups_;  ///< indices in smooth weighted order
    std::size_t usable_ = 0;
};

}  // namespace proxyd::upstream
