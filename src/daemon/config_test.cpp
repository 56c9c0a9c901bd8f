#include "daemon/config_test.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "daemon/exit_code.hpp"

namespace proxyd::daemon {

std::string render_all(const std::vector<config::Diagnostic>& diagnostics, bool errors_only) {
    std::string text;
    for (const config::Diagnostic& each : diagnostics) {
        const bool warning = each.severity == config::Diagnostic::Severity::warning;
        if (!(warning && errors_only)) text += config::render(each) + "\n";
    }
    return text;
}

int test_config(const Options& options) {
    const config::LoadResult loaded = config::load(options.load_options());
    fmt::print(stderr, "{}", render_all(loaded.diagnostics, options.quiet));
    if (!loaded.snapshot) {
        fmt::print(stderr, "proxyd: configuration file {} test failed\n", options.config);
        return kConfigRefused;
    }
    if (!options.quiet) {
        fmt::print(stderr, "proxyd: configuration file {} test is successful\n", options.config);
    }
    if (options.verb == Verb::dump) fmt::print("{}", config::dump(options.load_options()));
    return kSuccess;
}

}  // namespace proxyd::daemon
