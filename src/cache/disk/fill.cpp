#include "cache/disk/fill.hpp"

#include <cerrno>

#include "cache/disk/writer.hpp"

namespace proxyd::cache::disk {
namespace {

/// From here on a job writes what is there, before the end is known.
constexpr std::size_t kWorthAJob = std::size_t{64} * 1024;

std::size_t bytes_of(const std::vector<ChunkPtr>& chunks) {
    std::size_t bytes = 0;
    for (const ChunkPtr& chunk : chunks) bytes += chunk->size();
    return bytes;
}

}  // namespace

Fill::Fill(std::shared_ptr<DiskZone> zone, async::Loop& loop, HeadPtr head)
    : zone_(std::move(zone)),
      loop_(loop),
      begun_head_(std::move(head)),
      begun_(zone_->log().fill_begins()) {}

Fill::~Fill() {
    zone_->log().fill_ends(begun_);
}

bool Fill::add(ChunkPtr chunk) {
    std::unique_lock lock(mutex_);
    if (over_) return false;
    queued_ += chunk->size();
    queue_.push_back(std::move(chunk));
    const bool much = queued_ > Writer::kMostQueued;
    if (!busy_ && queued_ >= kWorthAJob) start_job(lock, false);
    return much;
}

bool Fill::must_wait() {
    const std::lock_guard lock(mutex_);
    waiting_ = !over_ && queued_ > Writer::kMostQueued;
    return waiting_;
}

void Fill::commit(HeadPtr head) {
    std::unique_lock lock(mutex_);
    if (over_) return;
    final_head_ = std::move(head);
    if (!busy_) start_job(lock, true);
}

void Fill::abandon() {
    std::unique_lock lock(mutex_);
    if (over_) return;
    over_ = true;
    waiting_ = false;
    queue_.clear();
    // What was written is removed where it may take its time.
    if (!busy_) start_job(lock, true);
}

void Fill::give_up_slow() {
    zone_->trouble().too_slow();
    abandon();
}

void Fill::start_job(std::unique_lock<std::mutex>& lock, bool always) {
    busy_ = true;
    lock.unlock();
    auto job = [self = shared_from_this()] { self->run(); };
    if (!always && zone_->pool().submit(job)) return;
    if (!always) {
        zone_->trouble().too_slow();
        lock.lock();
        over_ = true;
        queue_.clear();
        lock.unlock();
    }
    zone_->pool().submit_always(std::move(job));
}

void Fill::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (over_) break;
        std::vector<ChunkPtr> chunks = std::move(queue_);
        queue_.clear();
        const HeadPtr head = final_head_;
        if (chunks.empty() && !head) break;
        lock.unlock();
        const std::size_t bytes = bytes_of(chunks);
        if (head) finish(chunks, *head);
        const bool good = !head && write(chunks);
        chunks.clear();
        lock.lock();
        queued_ -= bytes;
        over_ = over_ || !good;
        wake_if_room();
    }
    busy_ = false;
    if (!over_) return;
    queue_.clear();
    lock.unlock();
    drop_file();
}

/// Under the lock: while somebody waits, his loop is there.
void Fill::wake_if_room() {
    if (!waiting_ || (!over_ && queued_ > Writer::kMostQueued / 2)) return;
    waiting_ = false;
    loop_.post([self = shared_from_this()] {
        if (self->waiter != nullptr) self->waiter->set();
    });
}

bool Fill::write(const std::vector<ChunkPtr>& chunks) {
    if (!file_) file_ = std::make_unique<FileWriter>(zone_->tree(), *begun_head_, begun_);
    const std::uint64_t counted = Index::counted(file_->file_bytes_with(bytes_of(chunks)));
    if (!zone_->make_room(counted - counted_)) return false;  // larger than the zone
    counted_ = counted;
    const int error = file_->append(chunks);
    if (error != 0) fail(error);
    return error == 0;
}

void Fill::finish(const std::vector<ChunkPtr>& chunks, const StoredHead& head) {
    if (!file_) file_ = std::make_unique<FileWriter>(zone_->tree(), *begun_head_, begun_);
    const std::uint64_t counted = Index::counted(file_->file_bytes_with(bytes_of(chunks)));
    if (!zone_->make_room(counted - counted_)) return;
    counted_ = counted;
    if (const int error = file_->finish(chunks, head); error != 0) return fail(error);
    zone_->publish(*file_, head, begun_, std::exchange(counted_, 0));
}

/// A head that does not fit says nothing about the disk.
void Fill::fail(int error) {
    if (error != EINVAL) zone_->trouble().write_failed(error);
}

void Fill::drop_file() {
    file_.reset();
    zone_->index().give_back(std::exchange(counted_, 0));
}

}  // namespace proxyd::cache::disk
