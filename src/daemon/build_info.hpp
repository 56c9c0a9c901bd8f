#pragma once

#include <string>

namespace proxyd::daemon {

/// "0.1.0"
[[nodiscard]] std::string version();
/// -V: version, compiler, libraries, features; one item a line.
[[nodiscard]] std::string build_info();

}  // namespace proxyd::daemon
