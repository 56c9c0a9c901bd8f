#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace proxyd::daemon {

struct DemoAnswer {
    int status = 0;
    std::string location, cache, body;
};

/// One GET for the host demo.example on a connection of its own to a loopback port. Blocks; throws
/// when there is no answer.
[[nodiscard]] DemoAnswer demo_get(std::uint16_t port, const std::string& target,
                                  const std::map<std::string, std::string>& fields = {});

/// Opens a WebSocket, sends `message` and returns what comes back. Blocks; throws when the
/// handshake is refused.
[[nodiscard]] std::string demo_websocket(std::uint16_t port, const std::string& message);

}  // namespace proxyd::daemon
