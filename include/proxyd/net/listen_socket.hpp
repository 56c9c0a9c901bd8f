#pragma once

#include <utility>

#include "proxyd/base/result.hpp"
#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

/// Owns one descriptor.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    explicit operator bool() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// A bound, listening, non-blocking socket. SO_REUSEADDR; TCP_NODELAY (accepted sockets inherit
/// it). A dead unix socket of the same path is replaced, a live one is an error. The error text
/// names address and cause.
[[nodiscard]] Result<Descriptor> open_listen_socket(const Endpoint& endpoint, int backlog);

}  // namespace proxyd::net
