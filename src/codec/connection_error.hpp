#pragma once

#include "proxyd/base/error.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::codec {

/// The error of a wait that ended because the peer closed or broke the connection.
[[nodiscard]] Error connection_error(const net::ErrorCode& error, Source side);

}  // namespace proxyd::codec
