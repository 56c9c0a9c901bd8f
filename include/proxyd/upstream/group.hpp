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
    std::shared_ptr<const net::Endpoint> endpoint;
    std::shared_ptr<PeerState> state;
    unsigned weight = 1;
    unsigned max_fails = 3;
    std::int64_t fail_timeout = 10'000;  ///< ms
    bool backup = false;
    bool down = false;
    bool tls = false;
    std::string host;  ///< the server's name as configured, which TLS verifies; "" = an address
};

/// What a request brings to the choice of its peer. Views outlive the call only.
struct PickRequest {
    const PeerSet& tried;       ///< not again
    std::int64_t now = 0;       ///< ms, monotonic
    std::string_view hash_key;  ///< for `balance: hash`, already expanded
    std::string_view client;    ///< its address as text, for ip_hash
    int preferred = -1;         ///< index of the peer that a sticky client had; taken when it can be
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

    /// The next peer that may take the request; primaries first, then backups. -1: none.
    [[nodiscard]] int pick(const PickRequest& request) const noexcept;
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
