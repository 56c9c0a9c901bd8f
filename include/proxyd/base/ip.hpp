#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd {

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 is stored as IPv4, so that a dual-stack listener and
/// a list of networks agree.
class IpAddress {
  public:
    IpAddress() = default;
    /// Dotted decimal or RFC 4291 text, no brackets, no zone, no port.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text) noexcept;
    /// Network byte order.
    [[nodiscard]] static IpAddress v4(const std::array<std::uint8_t, 4>& bytes) noexcept;
    [[nodiscard]] static IpAddress v6(const std::array<std::uint8_t, 16>& bytes) noexcept;

    [[nodiscard]] bool is_v6() const noexcept { return v6_; }
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::string text() const;
    friend bool operator==(const IpAddress&, const IpAddress&) = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};  ///< IPv4 in the first four
    bool v6_ = false;
};

/// A network such as 10.0.0.0/8 or ::1 (= /128).
class Cidr {
  public:
    [[nodiscard]] static std::optional<Cidr> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
    [[nodiscard]] std::string text() const;

  private:
    IpAddress base_;
    int prefix_ = 0;
};

}  // namespace proxyd
