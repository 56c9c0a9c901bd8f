#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "proxyd/base/ip.hpp"
#include "proxyd/base/result.hpp"

namespace proxyd::net {

/// A socket address: TCP over IPv4 or IPv6, or a unix path (at most 107 bytes).
class Endpoint {
  public:
    Endpoint() = default;
    static Endpoint tcp(const IpAddress& address, std::uint16_t port) noexcept;
    /// Every address of both families: [::] with IPV6_V6ONLY off.
    static Endpoint any(std::uint16_t port) noexcept;
    static Result<Endpoint> unix_path(const std::string& path);
    /// From accept4 or getsockname. A peer without a name on a unix socket gives "unix:".
    static Endpoint from(const sockaddr_storage& storage, socklen_t size) noexcept;

    /// The same address; not for unix.
    [[nodiscard]] Endpoint with_port(std::uint16_t port) const noexcept;

    [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
    [[nodiscard]] bool is_unix() const noexcept { return family() == AF_UNIX; }
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const noexcept { return size_; }
    [[nodiscard]] IpAddress ip() const noexcept;  ///< not for unix
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::string path() const;  ///< unix only
    /// "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock".
    [[nodiscard]] std::string text() const;

  private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

}  // namespace proxyd::net
