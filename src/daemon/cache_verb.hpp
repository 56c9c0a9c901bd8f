#pragma once

#include <string>
#include <string_view>

#include "daemon/options.hpp"
#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// What is wrong with the words behind `proxyd cache`; empty when nothing is.
[[nodiscard]] std::string wrong_cache_words(const Options& options);
/// `proxyd cache ...` as a line of the control socket, its words with tabs between them.
[[nodiscard]] std::string cache_line(const Options& options);
[[nodiscard]] bool is_cache_line(std::string_view line) noexcept;
/// On the control loop; answers there, a purge or a list of many entries after a while.
void answer_cache(server::Server& server, std::string_view line,
                  const server::ControlServer::Respond& respond);

}  // namespace proxyd::daemon
