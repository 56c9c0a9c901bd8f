#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "proxyd/proxy/generation.hpp"
#include "proxyd/server/server.hpp"
#include "worker.hpp"

namespace proxyd::server {

[[nodiscard]] std::vector<UpstreamStatus> upstream_status(const proxy::Generation& generation,
                                                          std::int64_t now);
/// Adds every worker's numbers to `status` and calls `done` on the control loop.
void collect_worker_status(async::Loop& control, std::vector<std::unique_ptr<Worker>>& workers,
                           Status status, std::function<void(Status)> done);

}  // namespace proxyd::server
