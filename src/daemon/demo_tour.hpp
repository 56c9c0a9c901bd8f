#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace proxyd::daemon {

/// One thing that was tried: what it was, what came of it, and whether that is what it should be.
struct DemoLine {
    bool ok = false;
    std::string title, result;
};

/// What the demo serves; the last two ports are those of the upstream and of nothing at all.
[[nodiscard]] std::string demo_config(const std::string& directory, std::uint16_t listen,
                                      std::uint16_t upstream, std::uint16_t dead);

/// Makes the requests, on the caller's thread, and tells each as it comes. Nothing is simulated:
/// each goes through the proxy. True when all went well.
bool demo_tour(std::uint16_t port, const std::function<void(const DemoLine&)>& tell);

}  // namespace proxyd::daemon
