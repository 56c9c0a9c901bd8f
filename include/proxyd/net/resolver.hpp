#pragma once

#include <string>
#include <vector>

#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

/// The addresses of a name through the system's resolver, each once; empty when there is none.
/// Blocks: at load time only, never on a worker.
[[nodiscard]] std::vector<Endpoint> resolve(const std::string& name, std::uint16_t port);

}  // namespace proxyd::net
