#pragma once

#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// USR1 and `-s reopen`: the error log and every access log are opened again by name.
[[nodiscard]] server::ControlReply reopen_logs(server::Server& server);

}  // namespace proxyd::daemon
