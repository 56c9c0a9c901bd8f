#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxyd/async/offload.hpp"
#include "proxyd/cache/store.hpp"

namespace proxyd::cache {

namespace disk {
class DiskZone;
}

struct DiskLimits {
    std::uint64_t max_size = 0;  ///< bytes of disk space; 0 = no limit
    std::chrono::milliseconds inactive{600'000};
};

/// An entry of `caches` that lies on disk.
struct DiskOptions {
    std::string zone;  ///< its name, for the log
    std::string path;
    std::vector<unsigned> levels{1, 2};  ///< digits of each level of directories
    DiskLimits limits;
};

/// Makes the disk tiers of zones and the few threads that work for them. Lives with what survives
/// reloads; one thread at a time. A directory belongs to one set of files: who opens it again while
/// a former store is still in use shares them, and gets their levels and limits. Ends after every
/// loop that asked; what is left of its stores must not be asked any more.
class DiskStores {
  public:
    explicit DiskStores(unsigned threads = 4);
    ~DiskStores();
    DiskStores(const DiskStores&) = delete;
    DiskStores& operator=(const DiskStores&) = delete;

    /// Never fails: what is wrong with the directory is logged, and then nothing is stored. The
    /// files that are there are found in the background; at most one small one is read here.
    [[nodiscard]] std::unique_ptr<CacheStore> open(const DiskOptions& options);
    /// Of a directory that is in use.
    void set_limits(const std::string& path, const DiskLimits& limits);

  private:
    std::map<std::string, std::weak_ptr<disk::DiskZone>> zones_;  ///< by path
    async::Offload pool_;                                         ///< ends first
};

}  // namespace proxyd::cache
