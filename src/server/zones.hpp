#pragma once

#include <map>
#include <string>

#include "proxyd/cache/disk_stores.hpp"
#include "proxyd/cache/zone.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::server {

/// The caches by name: they survive a reload that changes none of their parameters. get() is used
/// off the loop by whoever builds a generation, one at a time; adopted() between two of them.
class Zones {
  public:
    using ByName = std::map<std::string, cache::ZonePtr>;

    [[nodiscard]] cache::ZonePtr get(const config::CacheZone& settings);
    /// These are served from now on; what came of a reload that was refused is let go of. A zone
    /// that kept its directory and nothing else finds its files again, with the limits of now.
    void adopted(const ByName& zones);

  private:
    cache::DiskStores stores_;
    std::map<std::string, std::weak_ptr<cache::Zone>> zones_;
};

}  // namespace proxyd::server
