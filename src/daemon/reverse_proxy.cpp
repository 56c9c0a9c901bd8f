#include "daemon/reverse_proxy.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include "daemon/daemon.hpp"

namespace proxyd::daemon {
namespace {

/// A YAML scalar in single quotes.
std::string quoted(const std::string& value) {
    std::string out = "'";
    for (const char c : value) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

}  // namespace

std::string reverse_proxy_text(const Options& options) {
    return fmt::format(
        "listeners: {{ http: {} }}\n"
        "control: /tmp/proxyd-{}.sock\n"
        "log: {{ access: {{ path: stdout, buffer: 0 }} }}\n"
        "hosts:\n"
        "  \"*\": {}\n",
        quoted(options.from), ::getpid(), quoted(options.to));
}

int run_reverse_proxy(Options options) {
    options.text = reverse_proxy_text(options);
    options.config = "reverse-proxy";
    return run_daemon(options);
}

}  // namespace proxyd::daemon
