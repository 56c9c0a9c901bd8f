#include "daemon/log_reopen.hpp"

#include "daemon/exit_code.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::daemon {

server::ControlReply reopen_logs(server::Server& server) {
    std::string problems;
    if (auto opened = log::reopen(); !opened) problems += opened.error().detail + "\n";
    if (auto opened = server.reopen_logs(); !opened) problems += opened.error().detail + "\n";
    if (!problems.empty()) {
        log::error("logs not reopened: {}", problems);
        return {kFailure, problems};
    }
    log::info("logs reopened");
    return {kSuccess, "proxyd: logs reopened\n"};
}

}  // namespace proxyd::daemon
