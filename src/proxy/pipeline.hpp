#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// Everything between the head of a request and an answer of ours or the upstream's turn, in the
/// one order that docs/architecture.md tells. True: the upstream's turn (proxy/forward).
Task<bool> run_pipeline(Exchange& exchange);

}  // namespace proxyd::proxy
