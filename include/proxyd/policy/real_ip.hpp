#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/http/header_map.hpp"

namespace proxyd::policy {

/// Who the client is, after the proxies that are trusted.
struct ClientAddress {
    std::string_view text;   ///< $remote_addr
    std::uint16_t port = 0;  ///< 0 = not known
    bool trusted = false;    ///< the peer itself is a trusted proxy
};

/// `trusted_proxies` and `real_ip_header`. A view of the snapshot, which outlives it; immutable,
/// shared by threads.
class RealIp {
  public:
    explicit RealIp(const config::Snapshot& snapshot);

    /// Of an address text without port; "unix:" and other texts are never trusted.
    [[nodiscard]] bool trusts(std::string_view address) const noexcept;
    /// Walks the field from right to left over trusted addresses; stops at the first that is not
    /// trusted or no address. An untrusted peer is the client itself.
    [[nodiscard]] ClientAddress resolve(std::string_view peer, std::uint16_t peer_port,
                                        const http::HeaderMap& fields, Arena& arena) const;

  private:
    std::span<const Cidr> networks_;
    std::string_view field_;
    bool rfc7239_ = false;  ///< the field is Forwarded
};

}  // namespace proxyd::policy
