#include "cache/disk/reader.hpp"

#include <algorithm>
#include <mutex>

namespace proxyd::cache::disk {

std::shared_ptr<OpenedEntry> open_entry(DiskZone& zone, const Key& key, const std::string& text) {
    auto entry = std::make_shared<OpenedEntry>();
    if (!zone.open(key, &text, entry->file)) return nullptr;
    int error = 0;
    entry->outcome = entry->file.read(0, kBlocksAtOnce, entry->blocks, error);
    if (entry->outcome == ReadOutcome::failed) zone.trouble().read_failed(error);
    if (entry->outcome == ReadOutcome::broken) zone.discard(key, entry->file);
    if (entry->outcome != ReadOutcome::good) return nullptr;
    zone.used(key, entry->file);
    return entry;
}

/// Of a job that reads. While its reader is there, so is the loop.
struct Reader::Ahead {
    std::mutex mutex;
    bool left = false;  ///< the reader is gone; under the lock
    // Of the loop's thread
    Event done;
    bool finished = false;
};

Reader::Reader(std::shared_ptr<DiskZone> zone, async::Loop& loop,
               std::shared_ptr<OpenedEntry> entry)
    : zone_(std::move(zone)),
      loop_(loop),
      entry_(std::move(entry)),
      head_(entry_->file.head()),
      blocks_(entry_->file.layout().blocks()),
      ready_(entry_->blocks.begin(), entry_->blocks.end()),
      next_(entry_->blocks.size()) {
    entry_->blocks.clear();
}

Reader::~Reader() {
    if (ahead_) {
        const std::lock_guard lock(ahead_->mutex);
        ahead_->left = true;
    }
    // Closing a file may take its time too, above all when it was removed meanwhile.
    zone_->pool().submit_always([entry = std::move(entry_), zone = std::move(zone_)] {});
}

void Reader::seek(std::uint64_t offset) {
    const std::uint64_t block = offset / kBlockBytes;
    skip_ = offset % kBlockBytes;
    if (block < next_ && next_ - block <= ready_.size()) {
        ready_.erase(ready_.begin(), ready_.end() - static_cast<std::ptrdiff_t>(next_ - block));
        return;
    }
    ready_.clear();
    next_ = std::min(block, blocks_);
}

void Reader::read_ahead() {
    if (ahead_ || next_ >= blocks_) return;
    auto ahead = std::make_shared<Ahead>();
    auto job = [ahead, zone = zone_, entry = entry_, first = next_, &loop = loop_]() mutable {
        int error = 0;
        entry->outcome = entry->file.read(first, kBlocksAtOnce, entry->blocks, error);
        if (entry->outcome == ReadOutcome::failed) zone->trouble().read_failed(error);
        if (entry->outcome == ReadOutcome::broken) {
            zone->discard(entry->file.head()->key, entry->file);
        }
        entry.reset();
        zone.reset();
        const std::lock_guard lock(ahead->mutex);
        if (ahead->left) return;
        loop.post([ahead] {
            ahead->finished = true;
            ahead->done.set();
        });
    };
    ahead_ = std::move(ahead);
    next_ = std::min<std::uint64_t>(next_ + kBlocksAtOnce, blocks_);
    zone_->pool().submit_always(std::move(job));  // at most one for each reader
}

/// What a job has read becomes ready. False: it was broken.
bool Reader::take_read() {
    ahead_.reset();
    if (entry_->outcome != ReadOutcome::good) return false;
    for (ChunkPtr& block : entry_->blocks) ready_.push_back(std::move(block));
    entry_->blocks.clear();
    return true;
}

ChunkPtr Reader::take() {
    ChunkPtr block = std::move(ready_.front());
    ready_.pop_front();
    const std::size_t skip = std::min(std::exchange(skip_, 0), block->size());
    if (skip == 0) return block;
    auto rest = Chunk::make(nullptr, block->size() - skip);
    rest->append(block->bytes().substr(skip));
    return rest;
}

Error Reader::broken() const {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "what lies on disk of " + head_->key_text + " is broken");
}

Task<Result<ChunkPtr>> Reader::read() {
    if (ahead_ && ahead_->finished && !take_read()) {
        return Task<Result<ChunkPtr>>(Result<ChunkPtr>(broken()));
    }
    if (ready_.size() <= kBlocksAtOnce) read_ahead();
    if (!ready_.empty()) return Task<Result<ChunkPtr>>(Result<ChunkPtr>(take()));
    if (!ahead_) return Task<Result<ChunkPtr>>(Result<ChunkPtr>(ChunkPtr()));
    return read_when_there();
}

Task<Result<ChunkPtr>> Reader::read_when_there() {
    const auto ahead = ahead_;
    co_await ahead->done.wait();
    if (!take_read()) co_return broken();
    read_ahead();
    co_return take();
}

}  // namespace proxyd::cache::disk
