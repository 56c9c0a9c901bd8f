#pragma once

#include "proxyd/net/transport.hpp"

namespace proxyd::net::tls {

/// The oldest entry of OpenSSL's error queue, which is emptied.
[[nodiscard]] ErrorCode take_error() noexcept;
/// The bytes ended without close_notify: somebody may have cut them (RFC 8446 6.1).
[[nodiscard]] ErrorCode truncated() noexcept;

}  // namespace proxyd::net::tls
