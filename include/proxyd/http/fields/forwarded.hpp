#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxyd/base/ip.hpp"
#include "proxyd/http/header_map.hpp"

namespace proxyd::http {

/// An address as it stands in X-Forwarded-For or in `for=`: the port is tolerated, brackets and
/// quotes are taken off. Names, "unknown" and obfuscated ids are no addresses.
struct ForwardedNode {
    IpAddress address;
    std::string_view text;   ///< of the address alone
    std::uint16_t port = 0;  ///< 0 = none
};
[[nodiscard]] std::optional<ForwardedNode> parse_forwarded_node(std::string_view text) noexcept;

/// One element of Forwarded (RFC 7239 4). Values without quotes; escapes are not undone, so a value
/// with a backslash counts as absent.
struct ForwardedElement {
    std::string_view for_, by, host, proto;
};
/// nullopt where the grammar is broken.
[[nodiscard]] std::optional<ForwardedElement> parse_forwarded_element(
    std::string_view text) noexcept;

/// The elements of a list field that may stand on several lines, from the last to the first.
/// Commas inside quoted strings do not separate. The map must outlive the walk unchanged.
class ReverseElements {
  public:
    ReverseElements(const HeaderMap& fields, std::string_view name) noexcept;
    /// Trimmed, never empty; nullopt after the first element of the first line.
    [[nodiscard]] std::optional<std::string_view> next() noexcept;

  private:
    bool previous_line() noexcept;

    const HeaderMap& fields_;
    std::string_view name_;
    FieldId id_;
    std::size_t line_;       ///< fields before this index were not looked at
    std::string_view rest_;  ///< what is left of the current line
};

}  // namespace proxyd::http
