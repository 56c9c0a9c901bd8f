#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "proxyd/base/result.hpp"

namespace proxyd::proxy {

/// One access log, shared by the workers: each writes its own buffer, on disk with one write(2)
/// (O_APPEND keeps lines whole). A file, opened when a generation is built and reopened in place on
/// USR1, or `stdout` or `stderr` as the process was given them. A write that fails (full disk,
/// blocked pipe) loses the buffer, is counted and never waits.
class LogFile {
  public:
    LogFile(std::string path, int fd, std::size_t id);
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Dense; index of the workers' buffers.
    [[nodiscard]] std::size_t id() const noexcept { return id_; }
    /// From any thread.
    void write(std::string_view lines) noexcept;
    /// Nothing for `stdout` and `stderr`.
    Result<void> reopen();

  private:
    const std::string path_;
    const int fd_;
    const std::size_t id_;
    const bool standard_;  ///< stdout or stderr
};

/// All log files by path; survives reloads. Thread-safe: the next generation is built on a thread
/// of its own.
class LogFiles {
  public:
    Result<std::shared_ptr<LogFile>> open(const std::string& path);
    Result<void> reopen_all();

  private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<LogFile>> files_;
    std::size_t next_id_ = 0;
};

}  // namespace proxyd::proxy
