#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "proxyd/base/result.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::daemon {

/// Who the process becomes.
struct Identity {
    std::string user;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// The `user` and `group` of the configuration. None: not set, or the process is not root and so
/// can't change (a warning when it is someone else). An unknown name is an error.
[[nodiscard]] Result<std::optional<Identity>> identity_of(const config::Snapshot& snapshot);

/// Before the first thread starts: gives up root and every capability but CAP_NET_BIND_SERVICE,
/// for good (no_new_privs).
[[nodiscard]] Result<void> become(const Identity& identity);

/// As root, before become(): makes the log files that are missing and gives them, and the control
/// socket, to the identity. What exists is left alone; a link is never followed.
void hand_over(const config::Snapshot& snapshot, const std::string& error_log,
               const Identity& identity);

}  // namespace proxyd::daemon
