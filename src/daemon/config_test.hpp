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

/// For LoadOptions::check_names: looks several names up at one time, so that dead name servers cost
/// one timeout and not one for each name. Blocks.
[[nodiscard]] std::vector<std::string> look_up_names(const std::vector<config::AskedName>& names,
                                                     const config::Resolver& resolver);

/// -t and -T: says what is wrong on standard error, creates nothing. Returns 0 or 78.
[[nodiscard]] int test_config(const Options& options);

}  // namespace proxyd::daemon
