#pragma once

#include "support/wire.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace proxyd::test::protocol {

struct DialOptions {
    std::uint16_t port = 0;
    bool tls = false;
    std::string name = "app.test";  // SNI; the certificate is not looked at
    std::string alpn;               // the one protocol that is offered and must be agreed on
    int receive_buffer = 0;         // SO_RCVBUF, 0 = the system's
};

// A connection to a loopback port. With TLS the wire is the plain end of a pipe, and a thread of
// its own does the TLS; it ends with the connection. Throws std::runtime_error when the handshake
// or ALPN fails.
[[nodiscard]] Wire dial(const DialOptions& options);

}  // namespace proxyd::test::protocol
