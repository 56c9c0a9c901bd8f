#pragma once

#include <string_view>

namespace proxyd::proxy {

/// Now, as access logs write it. Formatted once a second for each thread; valid until the next
/// call on the same thread.
[[nodiscard]] std::string_view local_log_time();    ///< 10/Oct/2000:13:55:36 -0700
[[nodiscard]] std::string_view iso8601_log_time();  ///< 2000-10-10T13:55:36-07:00

}  // namespace proxyd::proxy
