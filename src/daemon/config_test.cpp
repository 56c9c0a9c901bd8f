#include "daemon/config_test.hpp"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>

#include <cstdio>

#include "daemon/exit_code.hpp"
#include "proxyd/net/resolver.hpp"

namespace proxyd::daemon {
namespace {

/// The file may be meant for another machine, so this is no error here; a start would refuse it.
std::vector<config::Diagnostic> check_identity(const config::Snapshot& snapshot) {
    std::vector<config::Diagnostic> found;
    const auto warn = [&](const char* what, const std::string& name) {
        config::Diagnostic each;
        each.severity = config::Diagnostic::Severity::warning;
        each.file = snapshot.source_path;
        each.message = fmt::format("{} '{}' does not exist here", what, name);
        found.push_back(std::move(each));
    };
    const std::string& user = snapshot.user;
    const std::string& group = snapshot.group;
    if (!user.empty() && ::getpwnam(user.c_str()) == nullptr) warn("user", user);
    if (!group.empty() && ::getgrnam(group.c_str()) == nullptr) warn("group", group);
    return found;
}

}  // namespace

std::vector<std::string> look_up_names(const std::vector<config::AskedName>& names,
                                       const config::Resolver& resolver) {
    std::vector<net::Question> questions;
    for (const config::AskedName& each : names) questions.push_back({each.name, each.srv});
    std::vector<std::string> problems;
    for (net::NameAnswer& answer : net::look_up(questions, {resolver.servers, resolver.timeout})) {
        problems.push_back(std::move(answer.problem));
    }
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
    config::LoadResult loaded = config::load(load);
    if (loaded.snapshot) {
        for (auto& each : check_identity(*loaded.snapshot)) {
            loaded.diagnostics.push_back(std::move(each));
        }
    }
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
