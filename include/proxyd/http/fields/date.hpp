#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace proxyd::http {

/// Seconds since 1970-01-01T00:00:00Z.
using UnixSeconds = std::int64_t;
using DateText = std::array<char, 29>;

/// IMF-fixdate (RFC 9110 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT"; years 0 to 9999.
[[nodiscard]] DateText format_date(UnixSeconds time) noexcept;
/// The three forms of RFC 9110 5.6.7. `now` places the two-digit years of the second: never more
/// than 50 years ahead.
[[nodiscard]] std::optional<UnixSeconds> parse_date(std::string_view text,
                                                    UnixSeconds now) noexcept;

[[nodiscard]] inline std::string_view view(const DateText& text) noexcept {
    return {text.data(), text.size()};
}

}  // namespace proxyd::http
