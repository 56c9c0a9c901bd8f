#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "cache/disk/entry_file.hpp"
#include "cache/disk/file_writer.hpp"
#include "cache/disk/index.hpp"
#include "cache/disk/purge_log.hpp"
#include "cache/disk/tree.hpp"
#include "cache/disk/trouble.hpp"
#include "proxyd/async/offload.hpp"
#include "proxyd/cache/disk_stores.hpp"

namespace proxyd::cache::disk {

/// The files of one directory and what is known of them. Shared by the stores that name it, and by
/// readers, writers and jobs that work on it. The functions that say so block; they are for threads
/// of the pool.
class DiskZone : public std::enable_shared_from_this<DiskZone> {
  public:
    DiskZone(const DiskOptions& options, async::Offload& pool);
    DiskZone(const DiskZone&) = delete;
    DiskZone& operator=(const DiskZone&) = delete;
    ~DiskZone();

    void set_limits(const DiskLimits& limits) noexcept;

    [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
    [[nodiscard]] Index& index() noexcept { return index_; }
    [[nodiscard]] PurgeLog& log() noexcept { return log_; }
    [[nodiscard]] Trouble& trouble() noexcept { return trouble_; }
    [[nodiscard]] async::Offload& pool() noexcept { return pool_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] Tick now() const noexcept;
    [[nodiscard]] std::uint64_t max_size() const noexcept { return max_size_; }
    [[nodiscard]] std::chrono::milliseconds inactive() const noexcept {
        return std::chrono::milliseconds(inactive_);
    }
    /// The index does not hold everything yet.
    [[nodiscard]] bool loading() const noexcept { return loading_; }
    void loaded() noexcept { loading_ = false; }
    /// Every file was looked into.
    [[nodiscard]] bool examined() const noexcept { return examined_; }
    void set_examined() noexcept { examined_ = true; }

    // Blocking -----------------------------------------------------------------------------------
    /// Opens what is stored there; removes it when it is broken or purged. `text` null: any.
    [[nodiscard]] bool open(const Key& key, const std::string* text, EntryFile& file);
    /// It was found and is about to be served.
    void used(const Key& key, const EntryFile& file);
    /// A file that was found by its name: gone if it is broken or purged, known otherwise.
    void examine(const Key& key);
    /// Takes `bytes` of space, removing what was not used for long. False: there is not so much.
    [[nodiscard]] bool make_room(std::uint64_t bytes);
    void remove_unused();
    /// Puts a finished file in its place, unless it was removed meanwhile. `counted`: taken before.
    void publish(FileWriter& writer, const StoredHead& head, Moment begun, std::uint64_t counted);
    /// See CacheStore::update().
    void update(const StoredHead& head);
    /// Of an entry that was removed at `at`, if it is not younger.
    void remove_file(const Key& key, Moment at);
    /// The file that was opened is broken.
    void discard(const Key& key, const EntryFile& file);
    /// What a purge does to one file. True: it was meant.
    [[nodiscard]] bool purge(const Key& key, const Selector& which, Moment at);
    void save_open_purges();

    /// Waits for the end of the zone, at most so long. True: it has come. For its keeper.
    [[nodiscard]] bool ending_within(std::chrono::milliseconds time);

  private:
    [[nodiscard]] std::mutex& lock_of(const Key& key) noexcept {
        return locks_[key.low % locks_.size()];
    }
    void load_open_purges();
    [[nodiscard]] ReadOutcome open_file(const Key& key, EntryFile& file, int& error);
    void unlink_locked(const Key& key);
    [[nodiscard]] int expire_locked(const EntryFile& file, Moment at);
    [[nodiscard]] int rewrite_locked(const EntryFile& file, const StoredHead& head, Moment begun);
    [[nodiscard]] int write_marker_locked(const StoredHead& head, Moment begun);

    const std::string name_;
    const Tree tree_;
    async::Offload& pool_;
    const std::chrono::steady_clock::time_point born_ = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> max_size_;
    std::atomic<std::int64_t> inactive_;
    Index index_;
    PurgeLog log_;
    Trouble trouble_;
    std::atomic<bool> loading_{true}, examined_{false};
    /// Held while a file is put, changed or removed, so that index and directory agree. By threads
    /// of the pool only.
    std::array<std::mutex, 64> locks_;
    std::mutex purges_file_;

    std::mutex ending_mutex_;
    std::condition_variable ending_changed_;
    bool ending_ = false;
    std::thread keeper_;
};

}  // namespace proxyd::cache::disk
