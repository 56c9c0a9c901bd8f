#pragma once

#include "proxyd/async/loop.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::net {

/// A connected TCP or unix stream socket as a transport of `loop`. Takes the descriptor over, also
/// on failure. Only on the loop's thread.
[[nodiscard]] Result<TransportPtr> make_socket_transport(async::Loop& loop, int descriptor);

}  // namespace proxyd::net
