#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/options.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// The keys in which `next` differs from `current` and which only a restart can change.
[[nodiscard]] std::vector<std::string> restart_keys(const config::Snapshot& current,
                                                    const config::Snapshot& next);

/// The error log that is asked for: -e wins over the configuration.
[[nodiscard]] std::string error_log_path(const Options& options, const config::Snapshot& snapshot);
[[nodiscard]] Result<void> open_error_log(const Options& options, const config::Snapshot& snapshot);

/// What the slow half of a reload found; without a snapshot it is refused.
struct Loaded {
    int exit_code = 0;
    std::string text;  ///< diagnostics, warnings too
    std::shared_ptr<const config::Snapshot> snapshot;
    server::NextGeneration next;
};
using Build =
    std::function<Result<server::NextGeneration>(std::shared_ptr<const config::Snapshot>)>;
using Adopt = std::function<Result<void>(const server::NextGeneration&)>;

/// Loads the configuration again and builds what it says. Any thread; changes nothing.
[[nodiscard]] Loaded load_next(const Options& options,
                               const std::shared_ptr<const config::Snapshot>& current,
                               const Build& build);
/// Makes it the one that is served. A refused one changes nothing. The reply is the truth for the
/// caller; the log gets it too. Control loop.
[[nodiscard]] server::ControlReply adopt_next(const Options& options,
                                              const config::Snapshot& current, const Loaded& loaded,
                                              const Adopt& adopt);

/// One log line for each line of `text`.
void log_lines(bool error, const std::string& text);

}  // namespace proxyd::daemon
