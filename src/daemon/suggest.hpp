#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxyd::daemon {

/// The word of `known` that `typed` was probably meant to be; empty when nothing is near. Near is
/// one edit (insert, delete, change, swap) for each three letters, at least one.
[[nodiscard]] std::string nearest(std::string_view typed, const std::vector<std::string>& known);

}  // namespace proxyd::daemon
