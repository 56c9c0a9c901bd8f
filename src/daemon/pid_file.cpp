#include "daemon/pid_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace proxyd::daemon {

Result<void> PidFile::write(const std::string& path) {
    ::unlink(path.c_str());
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    const std::string text = std::to_string(::getpid()) + "\n";
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!written) {
        return Error(Reason::internal_error, Source::internal, Retry::no,
                     "pid_file " + path + ": " + std::strerror(error));
    }
    path_ = path;
    return {};
}

PidFile::~PidFile() {
    if (path_.empty()) return;
    long pid = 0;
    std::ifstream(path_) >> pid;
    if (pid == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace proxyd::daemon
