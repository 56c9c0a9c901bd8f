#pragma once

#include "daemon/options.hpp"

namespace proxyd::daemon {

/// `reverse-proxy --from A --to B` as the configuration that it stands for.
[[nodiscard]] std::string reverse_proxy_text(const Options& options);
[[nodiscard]] int run_reverse_proxy(Options options);

}  // namespace proxyd::daemon
