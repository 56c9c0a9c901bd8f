#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// Everything between the head of a request and its last byte of answer, in the one order that
/// docs/architecture.md tells.
Task<void> run_pipeline(Exchange& exchange);

}  // namespace proxyd::proxy
