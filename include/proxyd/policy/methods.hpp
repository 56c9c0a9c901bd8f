#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/http/message.hpp"

namespace proxyd::policy {

/// `methods:` of a location, compiled. Empty list = all. Immutable, shared by threads.
class AllowedMethods {
  public:
    AllowedMethods() = default;
    explicit AllowedMethods(const std::vector<std::string>& methods);

    [[nodiscard]] bool allows(const http::RequestHead& head) const noexcept;
    /// For the Allow field of a 405 (RFC 9110 10.2.1).
    [[nodiscard]] const std::string& allow_value() const noexcept { return allow_value_; }

  private:
    std::uint32_t known_ = ~std::uint32_t{0};  ///< one bit for each http::Method
    std::vector<std::string> others_;
    std::string allow_value_;
};

}  // namespace proxyd::policy
