#pragma once

#include "exchange.hpp"
#include "proxyd/base/error.hpp"

namespace proxyd::proxy {

/// One line of the error log for an exchange that we answered or ended ourselves: who asked what,
/// whom we asked, the reason and its cause. Our side's and the upstream's failures are errors,
/// limits of the configuration that a client ran into are info, the rest of what clients do wrong
/// is debug. Bounded in lines per second for each worker.
void log_error(Exchange& exchange, const Error& why);
/// The same for a try after which the request goes out once more: a warning, or only debug where
/// a pooled connection had died.
void log_attempt(Exchange& exchange, const Error& why, bool stale);
/// The same for one that retry.budget kept from going out once more.
void log_over_budget(Exchange& exchange, const Error& why);

}  // namespace proxyd::proxy
