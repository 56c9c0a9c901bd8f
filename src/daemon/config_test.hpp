#pragma once

#include <string>
#include <vector>

#include "daemon/options.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::daemon {

/// Every diagnostic as configuration.md section 5 shows it, one after the other; with
/// `errors_only` without the warnings.
[[nodiscard]] std::string render_all(const std::vector<config::Diagnostic>& diagnostics,
                                     bool errors_only = false);

/// For LoadOptions::check_names: asks the system for several names at one time, so that dead
/// servers of names cost one timeout and not one for each name. Blocks.
[[nodiscard]] std::vector<std::string> look_up_names(const std::vector<std::string>& names);

/// -t and -T: says what is wrong on standard error, creates nothing. Returns 0 or 78.
[[nodiscard]] int test_config(const Options& options);

}  // namespace proxyd::daemon
