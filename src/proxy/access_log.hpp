#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// The lines of the built-in formats; empty for json, which is not a template.
[[nodiscard]] vars::Template log_template(const config::AccessLog& settings);
/// Appends the line of a finished exchange to its worker's buffer. Values are escaped: a line is
/// one line, whatever the client sent.
void write_access_log(const Exchange& exchange);

}  // namespace proxyd::proxy
