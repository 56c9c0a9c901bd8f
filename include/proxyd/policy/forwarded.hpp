#pragma once

#include <cstdint>
#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::policy {

/// What we know ourselves of the request.
struct ForwardedFacts {
    std::string_view peer;       ///< address of the TCP peer
    std::string_view client;     ///< $remote_addr: the peer, or what trusted proxies say
    std::string_view authority;  ///< as the client sent it
    http::Scheme scheme = http::Scheme::http;
    http::Version version = http::Version::http11;  ///< of the request received
    std::uint16_t local_port = 0;                   ///< 0 (unix socket): no X-Forwarded-Port
    bool trusted = false;                           ///< the peer is a trusted proxy
    bool via = true;
};

/// Sets X-Real-IP, X-Forwarded-For, -Proto, -Host, -Port and Via on a request for the upstream,
/// after the hop-by-hop fields went. From an untrusted peer every X-Forwarded-*, X-Real-IP and
/// Forwarded is dropped first; from a trusted one X-Forwarded-For and a Forwarded that is there are
/// appended to and the others are kept.
void set_forwarded_fields(http::HeaderMap& fields, const ForwardedFacts& facts, Arena& arena);

/// $proxy_add_x_forwarded_for: what set_forwarded_fields() sends as X-Forwarded-For.
[[nodiscard]] std::string_view forwarded_for(const http::HeaderMap& fields,
                                             const ForwardedFacts& facts, Arena& arena);

}  // namespace proxyd::policy
