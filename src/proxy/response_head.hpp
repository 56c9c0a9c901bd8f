#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// exchange.response from the upstream's head: hop-by-hop fields and the ones meant for us gone,
/// the operator's rules applied.
void relay_response_head(Exchange& exchange, const http::ResponseHead& head);
/// What every answer gets: Date, Server, response header rules; notes the status for the log.
/// `ours`: made by us, not by an upstream.
void finish_response_head(Exchange& exchange, bool ours);
/// Answers that must not wait in buffers: event streams, gRPC, X-Accel-Buffering: no.
[[nodiscard]] bool wants_streaming(const http::ResponseHead& head);

}  // namespace proxyd::proxy
