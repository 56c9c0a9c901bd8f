#pragma once

#include "proxyd/base/descriptor.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/net/endpoint.hpp"
#include "proxyd/net/socket_file.hpp"

namespace proxyd::net {

/// A bound, listening, non-blocking socket, and the name of a unix one.
struct ListenSocket {
    Descriptor descriptor;
    SocketFile file;
};

/// SO_REUSEADDR; TCP_NODELAY (accepted sockets inherit it). A dead unix socket of the same path is
/// replaced; a live one, and a file that is no socket, is an error. The error text names address
/// and cause.
[[nodiscard]] Result<ListenSocket> open_listen_socket(const Endpoint& endpoint, int backlog);

}  // namespace proxyd::net
