#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.hpp"
#include "config/source.hpp"

namespace proxyd::config {

/// One value of a file. A map's entries are its items, each with its key. Plain data: copied for
/// an alias, so there are no cycles and nothing is shared.
struct Node {
    enum class Kind : std::uint8_t { null, scalar, list, map };
    Kind kind = Kind::null;
    bool quoted = false;  ///< '3000' is text where that makes a difference
    std::string text;     ///< of a scalar
    std::string key;      ///< in a map
    Position at;
    Position key_at;
    std::vector<Node> items;

    [[nodiscard]] bool is_null() const noexcept { return kind == Kind::null; }
    [[nodiscard]] bool is_scalar() const noexcept { return kind == Kind::scalar; }
    [[nodiscard]] bool is_list() const noexcept { return kind == Kind::list; }
    [[nodiscard]] bool is_map() const noexcept { return kind == Kind::map; }
    /// The entry of a map, or null.
    [[nodiscard]] const Node* find(std::string_view name) const noexcept;
    [[nodiscard]] Node* find(std::string_view name) noexcept;
    /// "a map", "a list", "'abc'" for messages.
    [[nodiscard]] std::string describe() const;
};

/// Turns a file into a tree; the only place that knows yaml-cpp, whose leniency it mends:
/// duplicate keys, merge keys, a second document, open quotes, bad UTF-8, alias cycles and bombs
/// are errors with a position. An empty file is an empty map. nullopt = refused, see the report.
[[nodiscard]] std::optional<Node> parse_yaml(const Source& source, Report& report);

}  // namespace proxyd::config
