#include "proxyd/net/endpoint.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace proxyd::net {
namespace {

template <class Address>
Address& as(sockaddr_storage& storage) noexcept {
    return reinterpret_cast<Address&>(storage);
}
template <class Address>
const Address& as(const sockaddr_storage& storage) noexcept {
    return reinterpret_cast<const Address&>(storage);
}

}  // namespace

Endpoint Endpoint::tcp(const IpAddress& address, std::uint16_t port) noexcept {
    Endpoint endpoint;
    if (address.is_v6()) {
        auto& v6 = as<sockaddr_in6>(endpoint.storage_);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
        endpoint.size_ = sizeof(sockaddr_in6);
    } else {
        auto& v4 = as<sockaddr_in>(endpoint.storage_);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
        endpoint.size_ = sizeof(sockaddr_in);
    }
    return endpoint;
}

Endpoint Endpoint::any(std::uint16_t port) noexcept { return tcp(IpAddress::v6({}), port); }

Result<Endpoint> Endpoint::unix_path(const std::string& path) {
    Endpoint endpoint;
    auto& address = as<sockaddr_un>(endpoint.storage_);
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return Error(Reason::internal_error, Source::internal, Retry::no,
                     "the path of a unix socket has 1 to 107 bytes: " + path);
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    endpoint.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return endpoint;
}

Endpoint Endpoint::from(const sockaddr_storage& storage, socklen_t size) noexcept {
    Endpoint endpoint;
    endpoint.storage_ = storage;
    endpoint.size_ = size;
    return endpoint;
}

Endpoint Endpoint::with_port(std::uint16_t port) const noexcept {
    Endpoint copy = *this;
    if (family() == AF_INET6) as<sockaddr_in6>(copy.storage_).sin6_port = htons(port);
    if (family() == AF_INET) as<sockaddr_in>(copy.storage_).sin_port = htons(port);
    return copy;
}

IpAddress Endpoint::ip() const noexcept {
    if (family() == AF_INET6) {
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &as<sockaddr_in6>(storage_).sin6_addr, bytes.size());
        return IpAddress::v6(bytes);
    }
    std::array<std::uint8_t, 4> bytes{};
    if (family() == AF_INET) {
        std::memcpy(bytes.data(), &as<sockaddr_in>(storage_).sin_addr, bytes.size());
    }
    return IpAddress::v4(bytes);
}

std::uint16_t Endpoint::port() const noexcept {
    if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
    if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
    return 0;
}

std::string Endpoint::path() const {
    constexpr std::size_t kOffset = offsetof(sockaddr_un, sun_path);
    if (!is_unix() || size_ <= kOffset) return {};
    const auto& address = as<sockaddr_un>(storage_);
    return {address.sun_path, ::strnlen(address.sun_path, size_ - kOffset)};
}

std::string Endpoint::text() const {
    if (is_unix()) return "unix:" + path();
    const IpAddress address = ip();
    const std::string number = std::to_string(port());
    return address.is_v6() ? "[" + address.text() + "]:" + number : address.text() + ":" + number;
}

}  // namespace proxyd::net
