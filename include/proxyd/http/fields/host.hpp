#pragma once

#include <string>
#include <string_view>

namespace proxyd::http {

/// The name of a validated authority as hosts are compared: without the port and one trailing dot.
/// The letters keep their case. A view into `authority`.
[[nodiscard]] std::string_view host_of(std::string_view authority) noexcept;
/// The digits after the colon; empty without.
[[nodiscard]] std::string_view port_of(std::string_view authority) noexcept;

/// Equal for spellings that differ in case only; fit for hash tables of host names.
struct HostHash {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view name) const noexcept;
};
struct HostEqual {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept;
};

/// ASCII lower case.
[[nodiscard]] std::string lower_case(std::string_view name);

}  // namespace proxyd::http
