#pragma once

#include "support/daemon.hpp"
#include "support/gate.hpp"

namespace proxyd::test {

// An upstream as `proxyd upstream list NAME --json` shows it; null when that failed.
inline Json upstream_of(const Daemon& daemon, const std::string& name = "app") {
    const auto result = daemon.cli({"upstream", "list", name, "--json"});
    const auto parsed = Json::parse(result.out);
    if (!parsed || (*parsed)["upstreams"].array().empty()) return Json();
    return (*parsed)["upstreams"].array().front();
}

// Its server number `index`, in the order of the file.
inline Json peer_of(const Daemon& daemon, std::size_t index) {
    const Json upstream = upstream_of(daemon);
    const auto& peers = upstream["peers"].array();
    return index < peers.size() ? peers[index] : Json();
}

inline std::string peer_state(const Daemon& daemon, std::size_t index) {
    return peer_of(daemon, index)["state"].text();
}

inline bool wait_for_state(const Daemon& daemon, std::size_t index, const std::string& state,
                           Duration limit = kLimit) {
    return eventually([&] { return peer_state(daemon, index) == state; }, limit);
}

}  // namespace proxyd::test
