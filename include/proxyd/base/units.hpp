#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Quantities as operators write them: 500ms 60s 1h30m, 8k 10m 1g, 10r/s 60r/m.
namespace proxyd::units {

using Duration = std::chrono::milliseconds;

/// Requests per time; kept as a fraction so that 1r/m stays exact.
struct Rate {
    std::uint64_t requests = 0;
    Duration per{1'000};
    friend bool operator==(const Rate&, const Rate&) = default;
};

/// Decimal digits only, no sign, no leading zero; nullopt also on overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text) noexcept;
/// `0`, or numbers with the units d h m s ms, largest unit first: "1h30m".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text) noexcept;
/// Bytes; k, m, g and t (either case) are powers of 1024.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;
/// "20%" or "20": whole ones only.
[[nodiscard]] std::optional<std::uint64_t> parse_percent(std::string_view text) noexcept;
/// `10r/s`, `60r/m`, `100r/h`.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text) noexcept;

/// The shortest text that parses to the same value, in one unit.
[[nodiscard]] std::string format_duration(Duration value);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace proxyd::units
