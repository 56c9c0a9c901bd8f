#pragma once

#include <string>

namespace proxyd::proxy {

/// nginx's escape for what others chose: control characters, quotes, backslash and 8-bit bytes
/// from `start` on become \xHH, so that a line stays one line of ASCII.
void escape_log_text(std::string& out, std::size_t start);

}  // namespace proxyd::proxy
