#include "daemon/config_test.hpp"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "daemon/exit_code.hpp"

namespace proxyd::daemon {
namespace {

constexpr std::size_t kMostLookups = 16;

std::string look_up(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    if (failure != 0) return ::gai_strerror(failure);
    ::freeaddrinfo(list);
    return "";
}

}  // namespace

std::vector<std::string> look_up_names(const std::vector<std::string>& names) {
    std::vector<std::string> problems(names.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < names.size(); i = next++) problems[i] = look_up(names[i]);
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(names.size(), kMostLookups); ++i) {
        threads.emplace_back(work);
    }
    work();
    threads.clear();
    return problems;
}

std::string render_all(const std::vector<config::Diagnostic>& diagnostics, bool errors_only) {
    std::string text;
    for (const config::Diagnostic& each : diagnostics) {
        const bool warning = each.severity == config::Diagnostic::Severity::warning;
        if (!(warning && errors_only)) text += config::render(each) + "\n";
    }
    return text;
}

int test_config(const Options& options) {
    config::LoadOptions load = options.load_options();
    load.check_names = look_up_names;
    const config::LoadResult loaded = config::load(load);
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
