#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxyd/http/header_map.hpp"

namespace proxyd::cache {

/// The names of an answer's Vary: lower case, sorted, each once, joined by ','. None for "*" and
/// for more than 16 of them: such an answer is not stored.
[[nodiscard]] std::optional<std::string> vary_names(const http::HeaderMap& answer);
/// Both lists as one; none when it gets too long.
[[nodiscard]] std::optional<std::string> join_vary(std::string_view a, std::string_view b);
/// Whether every name of `wanted` stands in `names`.
[[nodiscard]] bool vary_covers(std::string_view names, std::string_view wanted);

/// The key of the variant that this request chooses: `text`, the salt of the marker, and the
/// values of the named fields, their lists written alike (RFC 9111 4.1).
void append_variant(std::string& out, std::string_view text, std::string_view names,
                    std::uint64_t salt, const http::HeaderMap& request);

}  // namespace proxyd::cache
