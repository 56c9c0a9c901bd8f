#pragma once

#include "proxyd/base/descriptor.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

/// A bound, listening, non-blocking socket. SO_REUSEADDR; TCP_NODELAY (accepted sockets inherit
/// it). A dead unix socket of the same path is replaced, a live one is an error. The error text
/// names address and cause.
[[nodiscard]] Result<Descriptor> open_listen_socket(const Endpoint& endpoint, int backlog);

}  // namespace proxyd::net
