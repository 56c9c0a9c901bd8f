#pragma once

#include <memory>

#include "cache/disk/disk_zone.hpp"
#include "proxyd/async/deadline_wheel.hpp"
#include "proxyd/cache/store.hpp"

namespace proxyd::cache::disk {

/// What a writer and its jobs share; see writer.cpp.
class Fill;

/// Chunks wait in a queue until a job of the pool writes them, one job at a time for each fill. A
/// small answer is written in one go when it is whole.
class Writer final : public StoreWriter {
  public:
    /// How much may wait for the disk before the filler has to, and for how long it does.
    static constexpr std::size_t kMostQueued = std::size_t{1} << 20;
    static constexpr std::chrono::milliseconds kPatience{2'000};

    Writer(std::shared_ptr<DiskZone> zone, async::Loop& loop, HeadPtr head);
    ~Writer() override;

    Task<void> append(ChunkPtr chunk) override;
    void commit(HeadPtr head) override;

  private:
    Task<void> wait_for_room();

    std::shared_ptr<Fill> fill_;
    Event room_;
    async::Deadline patience_;
    bool impatient_ = false;
    bool committed_ = false;
};

}  // namespace proxyd::cache::disk
