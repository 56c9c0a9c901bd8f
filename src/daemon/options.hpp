#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxyd/config/load.hpp"

namespace proxyd::daemon {

enum class Verb {
    run,
    test,
    dump,
    send_signal,
    version,
    build_info,
    demo,
    reverse_proxy,
    status,
    upstream,
    cache,
};

/// The command line as values.
struct Options {
    Verb verb = Verb::run;
    std::string config = "/etc/proxyd/proxyd.yaml";
    std::vector<std::string> overrides;  ///< -g
    std::string error_log;               ///< -e; empty = what the configuration says
    std::string signal;                  ///< -s
    bool quiet = false;
    bool json = false;
    bool once = false;     ///< demo
    std::string from, to;  ///< reverse-proxy
    std::string order;     ///< upstream: list, drain, down or up; cache: purge, list or stats
    std::string upstream, server;
    std::string zone, url, prefix, tag;  ///< cache
    bool soft = false;
    std::string text;      ///< a configuration that is no file (reverse-proxy)

    [[nodiscard]] config::LoadOptions load_options() const { return {config, overrides, text}; }
};

/// Either options, or the end of the process: what to say where, and the exit code.
struct ParsedOptions {
    std::optional<Options> options;
    int exit_code = 0;
    std::string out, err;
};

[[nodiscard]] ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace proxyd::daemon
