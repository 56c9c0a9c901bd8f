#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cache/disk/disk_zone.hpp"

namespace proxyd::cache::disk {

/// Goes over the entries that a selector can mean, a few at a time: between two steps other work of
/// the pool has its turn. Each step is a job of the pool; the last one calls `done` and lets go of
/// everything.
class Walk : public std::enable_shared_from_this<Walk> {
  public:
    /// False ends the walk.
    using Each = std::function<bool(const Key&)>;
    using Done = std::function<void()>;

    Walk(std::shared_ptr<DiskZone> zone, Candidates wanted, Each each, Done done)
        : zone_(std::move(zone)), wanted_(wanted), each_(std::move(each)), done_(std::move(done)) {}
    static void start(std::shared_ptr<Walk> walk);

  private:
    void step();

    std::shared_ptr<DiskZone> zone_;
    Candidates wanted_;
    Each each_;
    Done done_;
    Index::Position position_;
    std::vector<Key> keys_;
};

}  // namespace proxyd::cache::disk
