#pragma once

#include <string>

#include "proxyd/codec/limits.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/net/endpoint.hpp"

namespace proxyd::server {

/// What a connection needs to know of the listener that it came through. Immutable; connections
/// keep the one they started with.
struct ListenerContext {
    std::string name;
    net::Endpoint endpoint;
    std::string local_address;  ///< text, no port; of a unix socket "unix:PATH"
    bool any_address = false;   ///< a wildcard: each connection has a local address of its own
    int backlog = 0;
    bool proxy_protocol = false;
    bool tls = false;
    bool http2 = false;
    codec::ServerLimits limits;
};

/// A wildcard address of either family.
[[nodiscard]] bool is_any(const net::Endpoint& endpoint);
[[nodiscard]] ListenerContext make_listener_context(const config::Listener& listener,
                                                    const net::Endpoint& endpoint);
/// Error: a unix path that is too long.
[[nodiscard]] Result<net::Endpoint> endpoint_of(const config::Address& address);

}  // namespace proxyd::server
