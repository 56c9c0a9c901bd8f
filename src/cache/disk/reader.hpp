#pragma once

#include <deque>
#include <memory>

#include "cache/disk/disk_zone.hpp"
#include "proxyd/cache/store.hpp"

namespace proxyd::cache::disk {

/// An entry that was opened, with its first blocks. What jobs of the pool and a reader share; one
/// of them at a time touches it.
struct OpenedEntry {
    EntryFile file;
    std::vector<ChunkPtr> blocks;  ///< the next ones
    ReadOutcome outcome = ReadOutcome::good;
};

/// How much is read in one go, and how much a reader holds beside the piece that is being sent.
constexpr std::size_t kBlocksAtOnce = 2;

/// Blocking. Null: there is none.
[[nodiscard]] std::shared_ptr<OpenedEntry> open_entry(DiskZone& zone, const Key& key,
                                                      const std::string& text);

class Reader final : public StoreReader {
  public:
    Reader(std::shared_ptr<DiskZone> zone, async::Loop& loop, std::shared_ptr<OpenedEntry> entry);
    ~Reader() override;

    [[nodiscard]] const HeadPtr& head() const noexcept override { return head_; }
    void seek(std::uint64_t offset) override;
    Task<Result<ChunkPtr>> read() override;

  private:
    struct Ahead;
    Task<Result<ChunkPtr>> read_when_there();
    [[nodiscard]] bool take_read();
    void read_ahead();
    [[nodiscard]] ChunkPtr take();
    [[nodiscard]] Error broken() const;

    std::shared_ptr<DiskZone> zone_;
    async::Loop& loop_;
    std::shared_ptr<OpenedEntry> entry_;
    const HeadPtr head_;
    const std::uint64_t blocks_;
    std::deque<ChunkPtr> ready_;
    std::uint64_t next_ = 0;        ///< block that nobody has asked for yet
    std::size_t skip_ = 0;          ///< bytes of the first block that are not wanted
    std::shared_ptr<Ahead> ahead_;  ///< while a job reads
};

}  // namespace proxyd::cache::disk
