#include "proxyd/base/units.hpp"

#include <array>
#include <charconv>

#include "proxyd/base/text.hpp"

namespace proxyd::units {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 5> kDurations{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes{{{"t", std::uint64_t{1} << 40},
                                      {"g", std::uint64_t{1} << 30},
                                      {"m", std::uint64_t{1} << 20},
                                      {"k", std::uint64_t{1} << 10}}};

/// Durations are added and multiplied later: far below the limits of int64 milliseconds.
constexpr std::uint64_t kLongest = 36'500ULL * 86'400'000ULL;

constexpr bool digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes the digits at the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    std::size_t length = 0;
    while (length < text.size() && digit(text[length])) ++length;
    const auto number = parse_count(text.substr(0, length));
    text.remove_prefix(length);
    return number;
}

/// Takes the letters at the front of `text`; the index into kDurations.
std::optional<std::size_t> take_duration_unit(std::string_view& text) noexcept {
    std::size_t length = 0;
    while (length < text.size() && !digit(text[length])) ++length;
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    for (std::size_t i = 0; i < kDurations.size(); ++i) {
        if (kDurations[i].name == name) return i;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
    // A leading zero means octal elsewhere: refused instead of guessed.
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_percent(std::string_view text) noexcept {
    if (text.ends_with('%')) text.remove_suffix(1);
    return parse_count(text);
}

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    if (text == "0") return Duration{0};
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    std::size_t next_unit = 0;
    while (!text.empty()) {
        const auto number = take_number(text);
        const auto unit = take_duration_unit(text);
        if (!number || !unit || *unit < next_unit) return std::nullopt;
        next_unit = *unit + 1;
        if (*number > kLongest / kDurations[*unit].factor) return std::nullopt;
        total += *number * kDurations[*unit].factor;
        if (total > kLongest) return std::nullopt;
    }
    return Duration{total};
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    const auto number = take_number(text);
    if (!number || text.empty()) return number;
    for (const Unit& unit : kSizes) {
        if (!text::iequals(unit.name, text)) continue;
        if (*number > UINT64_MAX / unit.factor) return std::nullopt;
        return *number * unit.factor;
    }
    return std::nullopt;
}

std::optional<Rate> parse_rate(std::string_view text) noexcept {
    const auto number = take_number(text);
    if (!number || *number == 0) return std::nullopt;
    if (text == "r/s") return Rate{*number, Duration{1'000}};
    if (text == "r/m") return Rate{*number, Duration{60'000}};
    if (text == "r/h") return Rate{*number, Duration{3'600'000}};
    return std::nullopt;
}

std::string format_duration(Duration value) {
    const auto count = static_cast<std::uint64_t>(value.count());
    if (count == 0) return "0s";
    for (const Unit& unit : kDurations) {
        // 60s reads better than 1m, 75s better than 1m15s: whole units from two on.
        if (count % unit.factor != 0) continue;
        if (count / unit.factor < 2 && unit.factor > 1'000) continue;
        return std::to_string(count / unit.factor) + std::string(unit.name);
    }
    return std::to_string(count) + "ms";
}

std::string format_size(std::uint64_t bytes) {
    for (const Unit& unit : kSizes) {
        if (bytes != 0 && bytes % unit.factor == 0) {
            return std::to_string(bytes / unit.factor) + std::string(unit.name);
        }
    }
    return std::to_string(bytes);
}

}  // namespace proxyd::units
