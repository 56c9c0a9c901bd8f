#pragma once

#include <string>
#include <vector>

#include "proxyd/proxy/generation.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::server {

/// See Server::order_peers().
std::vector<std::string> give_order(const proxy::Generation& generation,
                                    const std::string& upstream, const std::string& server,
                                    PeerOrder order);

}  // namespace proxyd::server
