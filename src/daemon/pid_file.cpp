#include "daemon/pid_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace proxyd::daemon {
namespace {

constexpr int kFlags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

Error failure(const std::string& path, const std::string& why) {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "pid_file " + path + ": " + why);
}

/// A second name could be that of a file which whoever owns the directory must not write.
bool may_be_replaced(const struct stat& found) {
    return S_ISREG(found.st_mode) && found.st_nlink == 1;
}

}  // namespace

Result<void> PidFile::open(const std::string& path) {
    struct stat found {};
    const bool exists = ::lstat(path.c_str(), &found) == 0;
    if (exists && !may_be_replaced(found)) return failure(path, "it is no file of its own");
    fd_.reset(::open(path.c_str(), exists ? kFlags : kFlags | O_CREAT | O_EXCL, 0644));
    if (!fd_) return failure(path, std::strerror(errno));
    // Once more: between the two somebody may have changed what has the name.
    if (::fstat(fd_.get(), &found) != 0 || !may_be_replaced(found)) {
        return failure(path, "it is no file of its own");
    }
    path_ = path;
    made_ = !exists;
    return {};
}

Result<void> PidFile::write() {
    if (!fd_) return {};
    const std::string text = std::to_string(::getpid()) + "\n";
    const auto size = static_cast<ssize_t>(text.size());
    if (::ftruncate(fd_.get(), 0) != 0 || ::write(fd_.get(), text.data(), text.size()) != size) {
        return failure(path_, std::strerror(errno));
    }
    fd_.reset();
    made_ = false;
    return {};
}

PidFile::~PidFile() {
    if (path_.empty()) return;
    long pid = 0;
    std::ifstream(path_) >> pid;
    if (made_ || pid == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace proxyd::daemon
