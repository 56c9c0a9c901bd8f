#include "proxyd/proxy/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxyd/base/log.hpp"

namespace proxyd::proxy {
namespace {

Result<int> open_for_append(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (fd >= 0) return fd;
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "cannot open the access log " + path + ": " + std::strerror(errno));
}

}  // namespace

LogFile::LogFile(std::string path, int fd, std::size_t id)
    : path_(std::move(path)), fd_(fd), id_(id) {}

LogFile::~LogFile() { ::close(fd_); }

void LogFile::write(std::string_view lines) noexcept {
    while (!lines.empty()) {
        const ssize_t written = ::write(fd_, lines.data(), lines.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            log::warn("access log {}: {} bytes lost: {}", path_, lines.size(),
                      std::strerror(errno));
            return;
        }
        lines.remove_prefix(static_cast<std::size_t>(written));
    }
}

Result<void> LogFile::reopen() {
    auto fd = open_for_append(path_);
    if (!fd) return std::move(fd).error();
    // The number stays, so workers in the middle of a write notice nothing.
    ::dup3(*fd, fd_, O_CLOEXEC);
    ::close(*fd);
    return {};
}

Result<std::shared_ptr<LogFile>> LogFiles::open(const std::string& path) {
    auto& entry = files_[path];
    if (auto file = entry.lock()) return file;
    auto fd = open_for_append(path);
    if (!fd) return std::move(fd).error();
    auto file = std::make_shared<LogFile>(path, *fd, next_id_++);
    entry = file;
    return file;
}

Result<void> LogFiles::reopen_all() {
    Result<void> first;
    for (auto& [path, entry] : files_) {
        const auto file = entry.lock();
        if (!file) continue;
        if (auto done = file->reopen(); !done && first) first = std::move(done);
    }
    return first;
}

}  // namespace proxyd::proxy
