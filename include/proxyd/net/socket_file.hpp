#pragma once

#include <sys/types.h>

#include <string>

namespace proxyd::net {

/// The name of a listening unix socket in the file system. The owner of the socket owns it; it goes
/// with it, unless something else has taken the name since then. Empty for TCP.
class SocketFile {
  public:
    SocketFile() = default;
    /// Of the socket that was just bound to `path`.
    explicit SocketFile(std::string path);
    SocketFile(SocketFile&& other) noexcept;
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile() { remove(); }

  private:
    void remove() noexcept;

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

/// Whether something that is no socket has the name: it must not be touched.
[[nodiscard]] bool is_taken_by_no_socket(const std::string& path) noexcept;

}  // namespace proxyd::net
