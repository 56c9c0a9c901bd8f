#include "proxyd/http/fields/range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "proxyd/base/text.hpp"

namespace proxyd::http {
namespace {

/// Many small ranges cost more than they bring (RFC 9110 14.2).
constexpr std::size_t kMostRanges = 16;

std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || text.empty()) return std::nullopt;
    if (error == std::errc::result_out_of_range) return UINT64_MAX;
    if (error != std::errc{}) return std::nullopt;
    return value;
}

/// False: not valid. Adds nothing when it cannot be satisfied.
bool add_range(std::string_view text, std::uint64_t size, std::vector<ByteRange>& list) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return false;
    const std::string_view before = text.substr(0, dash), behind = text.substr(dash + 1);
    if (before.empty()) {
        const auto suffix = number(behind);
        if (!suffix) return false;
        if (*suffix == 0 || size == 0) return true;
        list.push_back({size - std::min(*suffix, size), size - 1});
        return true;
    }
    const auto first = number(before);
    const auto last = behind.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number(behind);
    if (!first || !last || *last < *first) return false;
    if (*first < size) list.push_back({*first, std::min(*last, size - 1)});
    return true;
}

}  // namespace

Ranges parse_range(std::string_view value, std::uint64_t size) {
    const std::size_t equals = value.find('=');
    Ranges ranges;
    if (equals == std::string_view::npos || !text::iequals(value.substr(0, equals), "bytes")) {
        return ranges;
    }
    std::size_t count = 0;
    bool valid = true;
    text::for_each_element(value.substr(equals + 1), [&](std::string_view element) {
        valid = ++count <= kMostRanges && add_range(element, size, ranges.list);
        return valid;
    });
    if (!valid || count == 0) {
        ranges.list.clear();
        return ranges;
    }
    std::uint64_t total = 0;
    for (const ByteRange& range : ranges.list) total += range.size();
    if (ranges.list.empty()) {
        ranges.kind = Ranges::Kind::unsatisfiable;
    } else if (total <= size) {
        ranges.kind = Ranges::Kind::partial;
    } else {
        ranges.list.clear();
    }
    return ranges;
}

}  // namespace proxyd::http
