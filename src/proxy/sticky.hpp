#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "proxyd/base/arena.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::proxy {

class Exchange;

/// `sticky` of an upstream, compiled. A client's cookie holds an id made of the upstream's name and
/// the peer's address: nothing is stored, so that workers, reloads and restarts agree, and the
/// address does not show. Immutable, shared by threads.
class StickyPeers {
  public:
    explicit StickyPeers(const upstream::Group& group);

    [[nodiscard]] const config::Sticky& settings() const noexcept { return settings_; }
    /// Index of the peer with this id; -1: nobody has it.
    [[nodiscard]] int find(std::string_view id) const noexcept;
    /// The value of Set-Cookie for a peer.
    [[nodiscard]] std::string_view set_cookie(std::size_t peer, bool secure, Arena& arena) const;

  private:
    using Id = std::array<char, 16>;
    const config::Sticky settings_;
    std::vector<Id> ids_;     ///< by index of the peer
    std::string attributes_;  ///< behind the value
};

/// Takes our cookie out of what goes upstream; index of the peer that it names, or -1.
[[nodiscard]] int take_sticky_peer(Exchange& exchange);
/// Sets the cookie where the answer comes from another peer than the one that the client named.
void keep_on_peer(Exchange& exchange);

}  // namespace proxyd::proxy
