#pragma once

#include <string>
#include <string_view>

#include "daemon/options.hpp"
#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// `proxyd upstream ...` as a line of the control socket: its words with tabs between them, since
/// names may hold blanks.
[[nodiscard]] std::string upstream_line(const Options& options);
[[nodiscard]] bool is_upstream_line(std::string_view line) noexcept;
/// What the running process answers to it. On the control loop.
[[nodiscard]] server::ControlReply answer_upstream(server::Server& server, std::string_view line);

}  // namespace proxyd::daemon
