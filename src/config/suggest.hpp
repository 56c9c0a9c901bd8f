#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/key_table.hpp"

namespace proxyd::config {

/// Words written "a|b|c".
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view words);
[[nodiscard]] bool one_of(std::string_view words, std::string_view word);

/// The candidate that `given` is most likely a slip of; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view given,
                                  const std::vector<std::string_view>& candidates);
/// "did you mean 'x'?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view given,
                                       const std::vector<std::string_view>& candidates);
/// The hint for a key that `table` does not have: a slip, a word of another proxy, or a key that
/// belongs elsewhere.
[[nodiscard]] std::string hint_for_key(std::string_view given, const Table& table);
/// What proxyd says to a word of nginx, HAProxy, Caddy or Traefik; empty when it is none.
[[nodiscard]] std::string foreign_hint(std::string_view word);

}  // namespace proxyd::config
