#include "daemon/log_reopen.hpp"

#include "daemon/exit_code.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::daemon {

server::ControlReply reopen_logs(server::Server& server) {
    std::string problems;
    const auto note = [&](const Result<void>& opened) {
        if (opened) return;
        log::error("logs not reopened: {}", opened.error().detail);
        problems += "proxyd: " + opened.error().detail + "\n";
    };
    note(log::reopen());
    note(server.reopen_logs());
    if (!problems.empty()) return {kFailure, problems};
    log::info("logs reopened");
    return {kSuccess, "proxyd: logs reopened\n"};
}

}  // namespace proxyd::daemon
