#pragma once

#include <map>
#include <string>

#include "proxyd/cache/zone.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::server {

/// The caches by name: they survive a reload that changes none of their parameters. Used off the
/// loop by whoever builds a generation, one at a time.
class Zones {
  public:
    [[nodiscard]] cache::ZonePtr get(const config::CacheZone& settings);
    /// What no generation uses is let go of.
    void forget_unused();

  private:
    std::map<std::string, std::weak_ptr<cache::Zone>> zones_;
};

}  // namespace proxyd::server
