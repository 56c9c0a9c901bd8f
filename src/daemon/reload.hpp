#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/options.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/server/control.hpp"

namespace proxyd::daemon {

/// The keys in which `next` differs from `current` and which only a restart can change.
[[nodiscard]] std::vector<std::string> restart_keys(const config::Snapshot& current,
                                                    const config::Snapshot& next);

/// The error log that is asked for: -e wins over the configuration.
[[nodiscard]] std::string error_log_path(const Options& options, const config::Snapshot& snapshot);
[[nodiscard]] Result<void> open_error_log(const Options& options, const config::Snapshot& snapshot);

/// What the reload acts on.
struct ReloadTarget {
    const Options& options;
    std::shared_ptr<const config::Snapshot> current;
    std::function<Result<void>(std::shared_ptr<const config::Snapshot>)> apply;
};

/// Loads the configuration again and makes it the one that is served. A refused one changes
/// nothing. The reply is the truth for the caller; the log gets it too. Control loop.
[[nodiscard]] server::ControlReply reload(const ReloadTarget& target);

/// One log line for each line of `text`.
void log_lines(bool error, const std::string& text);

}  // namespace proxyd::daemon
