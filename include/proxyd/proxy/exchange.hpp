#pragma once

#include <memory>

#include "proxyd/base/task.hpp"
#include "proxyd/http/stream.hpp"
#include "proxyd/proxy/generation.hpp"
#include "proxyd/proxy/worker_context.hpp"

namespace proxyd::proxy {

/// Serves one request from its head to its line in the access log. Never fails: every error ends
/// as an answer or as a cut connection. Ends early when the stream is reset.
Task<void> run_exchange(WorkerContext& worker, GenerationRef generation,
                        std::unique_ptr<http::ServerStream> stream);

}  // namespace proxyd::proxy
