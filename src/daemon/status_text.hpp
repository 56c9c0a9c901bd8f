#pragma once

#include <string>

#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// "http 127.0.0.1:8080, ..."
[[nodiscard]] std::string listeners_text(const config::Snapshot& snapshot);
/// `proxyd status`: for people.
[[nodiscard]] std::string status_text(const server::Status& status);
/// `proxyd upstream list`, and the end of status.
[[nodiscard]] std::string upstreams_text(const std::vector<server::UpstreamStatus>& upstreams);
[[nodiscard]] std::string upstreams_json(const std::vector<server::UpstreamStatus>& upstreams);
/// `proxyd status --json`: one object in one line.
[[nodiscard]] std::string status_json(const server::Status& status);

}  // namespace proxyd::daemon
