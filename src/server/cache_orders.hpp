#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/proxy/generation.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::server {

/// The caches of a generation, for status.
[[nodiscard]] std::vector<CacheStatus> cache_status(const proxy::Generation& generation);

/// See Server::purge_cache() and Server::list_caches(). On the control loop, where `done` is called
/// too; the disk is asked by threads of its own.
void purge_cache(async::Loop& control, const proxy::Generation& generation, const std::string& zone,
                 const cache::Selector& which, std::function<void(CachePurged)> done);
void list_caches(async::Loop& control, const proxy::Generation& generation, const std::string& zone,
                 std::size_t most, std::function<void(CacheList)> done);

}  // namespace proxyd::server
