#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// `proxyd cache stats`, and a part of status.
[[nodiscard]] std::string caches_text(const std::vector<server::CacheStatus>& caches);
[[nodiscard]] std::string caches_json(const std::vector<server::CacheStatus>& caches);
[[nodiscard]] boost::json::array caches_array(const std::vector<server::CacheStatus>& caches);
/// `proxyd cache list`.
[[nodiscard]] std::string cache_list_text(const server::CacheList& list);
[[nodiscard]] std::string cache_list_json(const server::CacheList& list);
/// `proxyd cache purge`.
[[nodiscard]] std::string purged_text(const std::string& zone, bool soft,
                                      const server::CachePurged& purged);
[[nodiscard]] std::string purged_json(const std::string& zone, bool soft,
                                      const server::CachePurged& purged);

}  // namespace proxyd::daemon
