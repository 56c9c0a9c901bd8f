#pragma once

namespace proxyd::daemon {

/// The whole program: reads the command line, does what it says, returns the exit code.
[[nodiscard]] int run_verb(int argc, const char* const* argv);

}  // namespace proxyd::daemon
