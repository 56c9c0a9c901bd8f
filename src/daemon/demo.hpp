#pragma once

#include "daemon/options.hpp"

namespace proxyd::daemon {

/// `proxyd demo`: the real server on loopback before an upstream of its own, a few requests with
/// what each showed, then it stays up (or, with --once, ends: 0 when all went well, else 1).
[[nodiscard]] int run_demo(const Options& options);

}  // namespace proxyd::daemon
