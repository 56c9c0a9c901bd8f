#pragma once

#include <string>

#include "daemon/options.hpp"

namespace proxyd::daemon {

/// Where the process that runs this configuration listens for verbs. Found also when the
/// configuration is refused: `-s reload` must reach the process that will say why.
[[nodiscard]] std::string control_path(const Options& options);

/// `-s` and `status`: sends the verb, prints the answer, returns its exit code; 1 when nobody
/// answers.
[[nodiscard]] int call_running(const Options& options, const std::string& line);

}  // namespace proxyd::daemon
