#pragma once

#include <openssl/ssl.h>

#include "proxyd/net/tls/server_handshake.hpp"

namespace proxyd::net::tls {

/// What a complete handshake says of itself. Takes over what `hello` holds.
[[nodiscard]] Agreement agreement_of(SSL* ssl, Hello& hello);

}  // namespace proxyd::net::tls
