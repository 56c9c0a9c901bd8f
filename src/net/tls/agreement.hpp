#pragma once

#include <openssl/ssl.h>

#include "proxyd/net/tls/server_handshake.hpp"

namespace proxyd::net::tls {

/// The protocol that ALPN agreed on; "" = none. A static text.
[[nodiscard]] std::string_view application_of(const SSL* ssl);
/// What a complete handshake says of itself. Takes over what `hello` holds.
[[nodiscard]] Agreement agreement_of(SSL* ssl, Hello& hello);

}  // namespace proxyd::net::tls
