#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/proxy/cache_fills.hpp"
#include "proxyd/proxy/log_file.hpp"
#include "proxyd/proxy/mirrors.hpp"
#include "proxyd/upstream/attempt.hpp"

namespace proxyd::proxy {

class Generation;

/// Lines of one worker on their way to one log file: written when the buffer is full and at the
/// latest after `flush`.
class LogBuffer {
  public:
    LogBuffer(async::Loop& loop, std::shared_ptr<LogFile> file);
    LogBuffer(const LogBuffer&) = delete;
    LogBuffer& operator=(const LogBuffer&) = delete;
    ~LogBuffer() { flush(); }

    /// Append one line, newline included, then call commit().
    [[nodiscard]] std::string& text() noexcept { return text_; }
    void commit(std::size_t buffer_bytes, std::chrono::milliseconds flush_after);
    void flush() noexcept;

  private:
    std::shared_ptr<LogFile> file_;
    std::string text_;
    async::Deadline deadline_;
};

/// Keeps one kind of line from filling a log: so many in a second, the others are counted.
class LineQuota {
  public:
    /// Whether one more may be written now.
    bool take(async::Milliseconds now) noexcept {
        if (now / 1000 != second_) {
            second_ = now / 1000;
            written_ = 0;
        }
        const bool granted = written_ < kLinesPerSecond;
        ++(granted ? written_ : missing_);
        return granted;
    }
    /// How many were left out since the last call.
    std::uint64_t take_missing() noexcept { return std::exchange(missing_, 0); }

  private:
    static constexpr std::uint64_t kLinesPerSecond = 50;
    std::int64_t second_ = -1;
    std::uint64_t written_ = 0, missing_ = 0;
};

/// What one worker lends to its exchanges. On the loop's thread; outlives them.
class WorkerContext {
  public:
    explicit WorkerContext(async::Loop& loop) : loop_(loop), pools_(loop), mirrors_(loop, pools_) {}
    WorkerContext(const WorkerContext&) = delete;
    WorkerContext& operator=(const WorkerContext&) = delete;

    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }
    [[nodiscard]] upstream::WorkerPools& pools() noexcept { return pools_; }
    [[nodiscard]] Mirrors& mirrors() noexcept { return mirrors_; }
    [[nodiscard]] const Mirrors& mirrors() const noexcept { return mirrors_; }
    [[nodiscard]] CacheFills& fills() noexcept { return fills_; }
    [[nodiscard]] LogBuffer& log_buffer(const std::shared_ptr<LogFile>& file);
    void flush_logs() noexcept;
    /// Lets go of the logs and peers that only older generations had.
    void keep_only(const Generation& current);
    /// The Date field of this second (RFC 9110 5.6.7).
    [[nodiscard]] std::string_view date();

    std::uint64_t exchanges = 0;  ///< running
    std::uint64_t requests = 0;   ///< since the start
    bool draining = false;
    LineQuota error_lines;

  private:
    async::Loop& loop_;
    upstream::WorkerPools pools_;
    Mirrors mirrors_;
    CacheFills fills_;
    std::vector<std::unique_ptr<LogBuffer>> logs_;
    std::int64_t date_second_ = -1;
    std::string date_;
};

}  // namespace proxyd::proxy
