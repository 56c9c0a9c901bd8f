#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "cache/disk/disk_zone.hpp"
#include "proxyd/async/loop.hpp"

namespace proxyd::cache::disk {

/// One answer on its way to the disk: a queue under a lock, and a file that only jobs of the pool
/// touch, one at a time. Lives as long as its writer or a job.
class Fill : public std::enable_shared_from_this<Fill> {
  public:
    Fill(std::shared_ptr<DiskZone> zone, async::Loop& loop, HeadPtr head);
    Fill(const Fill&) = delete;
    Fill& operator=(const Fill&) = delete;
    ~Fill();

    // On the loop's thread -----------------------------------------------------------------------
    /// More waits than may.
    [[nodiscard]] bool add(ChunkPtr chunk);
    /// As add(); the waiter is told as soon as that has changed.
    [[nodiscard]] bool must_wait();
    void commit(HeadPtr head);
    void abandon();
    void give_up_slow();
    Event* waiter = nullptr;

  private:
    void start_job(std::unique_lock<std::mutex>& lock, bool always);
    void run();
    [[nodiscard]] bool write(const std::vector<ChunkPtr>& chunks);
    void finish(const std::vector<ChunkPtr>& chunks, const StoredHead& head);
    void fail(int error);
    void drop_file();
    void wake_if_room();

    const std::shared_ptr<DiskZone> zone_;
    async::Loop& loop_;
    const HeadPtr begun_head_;
    const Moment begun_;

    std::mutex mutex_;
    std::vector<ChunkPtr> queue_;
    std::size_t queued_ = 0;  ///< bytes, what a job has at hand included
    HeadPtr final_head_;
    bool busy_ = false;     ///< a job runs or waits for its turn
    bool over_ = false;     ///< failed, abandoned or done: what comes is dropped
    bool waiting_ = false;  ///< the filler wants to be told

    // Of the job that runs
    std::unique_ptr<FileWriter> file_;
    std::uint64_t counted_ = 0;  ///< taken from the index
};

}  // namespace proxyd::cache::disk
