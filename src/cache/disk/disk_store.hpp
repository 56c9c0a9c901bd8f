#pragma once

#include "cache/disk/disk_zone.hpp"
#include "proxyd/cache/store.hpp"

namespace proxyd::cache::disk {

/// The second tier on files. What it answers from memory is in the index; everything else is a job
/// of the pool.
class DiskStore final : public CacheStore {
  public:
    explicit DiskStore(std::shared_ptr<DiskZone> zone) : zone_(std::move(zone)) {}

    [[nodiscard]] bool may_hold(const Key& key) const noexcept override;
    Task<std::unique_ptr<StoreReader>> open(async::Loop& loop, const Key& key,
                                            std::string_view text) override;
    [[nodiscard]] std::unique_ptr<StoreWriter> write(async::Loop& loop, HeadPtr head,
                                                     std::uint64_t expected_size) override;
    void update(HeadPtr head) override;
    void remove(const Key& key) override;
    void touch(const Key& key) noexcept override;
    void for_each(std::function<bool(const StoredHead&)> each, std::function<void()> done) override;
    void purge(Selector which, std::function<void(std::uint64_t)> done) override;
    [[nodiscard]] StoreCounts counts() const noexcept override;

  private:
    Task<std::unique_ptr<StoreReader>> open_file(async::Loop& loop, Key key, std::string text);

    const std::shared_ptr<DiskZone> zone_;
};

}  // namespace proxyd::cache::disk
