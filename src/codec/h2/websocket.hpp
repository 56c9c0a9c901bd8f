#pragma once

#include <string>
#include <string_view>

namespace proxyd::codec::h2 {

/// HTTP/2 has no Sec-WebSocket-Key; HTTP/1 wants one (RFC 8441 5.1): 16 random bytes in base64.
[[nodiscard]] std::string make_websocket_key();
/// The Sec-WebSocket-Accept that belongs to a key (RFC 6455 4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace proxyd::codec::h2
