#include "proxyd/net/socket_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace proxyd::net {

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
    struct stat found {};
    if (::lstat(path_.c_str(), &found) != 0) path_.clear();
    device_ = found.st_dev;
    inode_ = found.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    remove();
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    inode_ = other.inode_;
    return *this;
}

void SocketFile::remove() noexcept {
    struct stat found {};
    if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) return;
    if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path_.c_str());
    path_.clear();
}

bool is_taken_by_no_socket(const std::string& path) noexcept {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
}

}  // namespace proxyd::net
