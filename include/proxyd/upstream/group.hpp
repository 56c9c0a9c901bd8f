#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/base/error.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/upstream/peer_set.hpp"
#include "proxyd/upstream/peer_state.hpp"

namespace proxyd::net {
class Endpoint;
}

namespace proxyd::upstream {

/// One address of an upstream.
struct Peer {
    std::string address;  ///< as logged: "127.0.0.1:3000"
    std::string server;   ///< as configured, shared by the peers of one name; hashed by ketama
    std::shared_ptr<const net::Endpoint> endpoint;
    std::shared_ptr<PeerState> state;
    unsigned weight = 1;
    unsigned max_fails = 3;
    std::int64_t fail_timeout = 10'000;  ///< ms
    std::uint64_t max_conns = 0;         ///< in flight, of all workers; 0 = no limit
    std::int64_t slow_start = 0;         ///< ms until a recovered peer has its full share
    bool backup = false;
    bool down = false;
    bool tls = false;
    std::string host;  ///< the server's name as configured, which TLS verifies; "" = an address
};

/// What a request brings to the choice of its peer. Views outlive the call only.
struct PickRequest {
    const PeerSet& tried;       ///< not again
    std::int64_t now = 0;       ///< ms, monotonic
    std::string_view hash_key{};  ///< for `balance: hash`, already expanded
    std::string_view client{};    ///< its address as text, for ip_hash
    int preferred = -1;         ///< index of the peer that a sticky client had; taken when it can be
};

class Balancer;

/// An upstream of one generation: its peers and the order of choice. Immutable, shared by the
/// workers; the sequence number in its state makes one order of all of them.
class Group {
  public:
    /// Names have the addresses of the registry's book; one without any is left out.
    static std::shared_ptr<const Group> make(std::shared_ptr<const config::Upstream> settings,
                                             StateRegistry& registry);
    Group();
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    [[nodiscard]] const config::Upstream& settings() const noexcept { return *settings_; }
    [[nodiscard]] const std::shared_ptr<const config::Upstream>& shared_settings() const noexcept {
        return settings_;
    }
    [[nodiscard]] const std::vector<Peer>& peers() const noexcept { return peers_; }
    /// What a request must bring along as PickRequest::hash_key; null: nothing.
    [[nodiscard]] const vars::Template* hash_key() const noexcept;

    /// Takes a place at the next peer that may take the request; primaries first, then backups.
    /// -1: none. Each place is given back once.
    [[nodiscard]] int pick(const PickRequest& request) const noexcept;
    /// Gives a place back, and to the first who waits for one.
    void release(const Peer& peer) const noexcept;

    /// Who could take the request, were it made now.
    enum class Outlook : std::uint8_t {
        open,
        busy,  ///< only peers that are at max_conns
        dead,  ///< nobody
    };
    [[nodiscard]] Outlook outlook(const PickRequest& request) const noexcept;
    /// The requests of all workers that wait until a peer is below max_conns.
    [[nodiscard]] WaitingLine& waiting() const noexcept { return state_->waiting; }

    /// Shared by all generations and workers.
    [[nodiscard]] GroupState& state() const noexcept { return *state_; }
    /// Attempts on all peers since the start.
    [[nodiscard]] std::uint64_t attempts() const noexcept;
    void report_failure(const Peer& peer, std::int64_t now, Reason why) const;
    void report_success(const Peer& peer) const noexcept;
    /// Servers that take part: not down by configuration.
    [[nodiscard]] std::size_t usable() const noexcept { return usable_; }

  private:
    std::shared_ptr<const config::Upstream> settings_;
    std::shared_ptr<GroupState> state_;
    std::vector<Peer> peers_;
    std::unique_ptr<const Balancer> primaries_, backups_;
    std::size_t usable_ = 0;
    bool limited_ = false;  ///< some peer has max_conns
};

}  // namespace proxyd::upstream
