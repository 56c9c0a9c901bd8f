#include "proxyd/proxy/log_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "proxyd/base/log.hpp"

namespace proxyd::proxy {
namespace {

/// What a pipe that poll(2) calls writable takes without waiting (PIPE_BUF, pipe(7)).
constexpr std::size_t kPipePiece = 4096;

/// The descriptor that `path` stands for; -1: it is a file.
int standard_stream(const std::string& path) {
    if (path == "stdout") return STDOUT_FILENO;
    return path == "stderr" ? STDERR_FILENO : -1;
}

std::string own_name() {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> text;
    ::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &found);
    return found != nullptr ? found->pw_name : std::to_string(::geteuid());
}

Error failure(const std::string& path, int error) {
    std::string text = "cannot open the access log " + path + ": " + std::strerror(error);
    if (error == EACCES) {
        const std::string user = own_name();
        const bool exists = ::access(path.c_str(), F_OK) == 0;
        text += " for user '" + user + "'; " +
                (exists ? "chown " + user + " " + path : "it may not create files there");
    }
    return Error(Reason::internal_error, Source::internal, Retry::no, std::move(text));
}

Result<int> open_for_append(const std::string& path) {
    const int stream = standard_stream(path);
    const int fd =
        stream >= 0
            ? ::fcntl(stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
            : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (fd < 0) return failure(path, errno);
    return fd;
}

/// Whole lines as far as one write to a pipe takes them.
std::size_t piece_of(std::string_view lines) {
    if (lines.size() <= kPipePiece) return lines.size();
    const std::size_t end = lines.rfind('\n', kPipePiece - 1);
    return end == std::string_view::npos ? kPipePiece : end + 1;
}

/// A standard stream is shared with whoever started us, so it can't be made non-blocking.
ssize_t write_standard(int fd, std::string_view lines) {
    pollfd waiting{fd, POLLOUT, 0};
    if (::poll(&waiting, 1, 0) != 1 || (waiting.revents & POLLOUT) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(fd, lines.data(), piece_of(lines));
}

}  // namespace

LogFile::LogFile(std::string path, int fd, std::size_t id)
    : path_(std::move(path)), fd_(fd), id_(id), standard_(standard_stream(path_) >= 0) {}

LogFile::~LogFile() { ::close(fd_); }

void LogFile::write(std::string_view lines) noexcept {
    while (!lines.empty()) {
        const ssize_t written =
            standard_ ? write_standard(fd_, lines) : ::write(fd_, lines.data(), lines.size());
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
    if (standard_) return {};
    auto fd = open_for_append(path_);
    if (!fd) return std::move(fd).error();
    // The number stays, so workers in the middle of a write notice nothing.
    ::dup3(*fd, fd_, O_CLOEXEC);
    ::close(*fd);
    return {};
}

Result<std::shared_ptr<LogFile>> LogFiles::open(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [](const auto& item) { return item.second.expired(); });
    if (const auto found = files_.find(path); found != files_.end()) {
        if (auto file = found->second.lock()) return file;
    }
    auto fd = open_for_append(path);
    if (!fd) return std::move(fd).error();
    auto file = std::make_shared<LogFile>(path, *fd, next_id_++);
    files_.insert_or_assign(path, file);
    return file;
}

Result<void> LogFiles::reopen_all() {
    const std::lock_guard lock(mutex_);
    Result<void> first;
    for (auto& [path, entry] : files_) {
        const auto file = entry.lock();
        if (!file) continue;
        if (auto done = file->reopen(); !done && first) first = std::move(done);
    }
    return first;
}

}  // namespace proxyd::proxy
