#pragma once

#include <string_view>

#include "exchange.hpp"

namespace proxyd::proxy {

/// The operator's page for a status: the exact one, else that of its class; null when there is
/// none.
[[nodiscard]] const config::ErrorPage* find_error_page(const config::Policy& policy, int status);
/// Our own page, in the exchange's arena: status, reason word, request id; for clients on
/// loopback also the cause in words.
[[nodiscard]] std::string_view make_error_page(const Exchange& exchange, int status,
                                               const Error& why);

}  // namespace proxyd::proxy
