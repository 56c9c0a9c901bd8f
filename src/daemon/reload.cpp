#include "daemon/reload.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "daemon/config_test.hpp"
#include "daemon/exit_code.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::daemon {
namespace {

server::ControlReply refused(int exit_code, const std::string& why) {
    log_lines(true, why);
    const std::string end = "reload refused, the running configuration goes on";
    log_lines(true, end);
    return {exit_code, why + "proxyd: " + end + "\n"};
}

std::string line(const std::string& text) {
    return "proxyd: " + text + "\n";
}

}  // namespace

std::vector<std::string> restart_keys(const config::Snapshot& current,
                                      const config::Snapshot& next) {
    std::vector<std::string> keys;
    const auto check = [&](const char* key, bool same) {
        if (!same) keys.emplace_back(key);
    };
    // The CPUs may have changed meanwhile; nobody asked for another number.
    const bool both_auto = current.workers_auto && next.workers_auto;
    check("workers", both_auto || current.workers == next.workers);
    check("user", current.user == next.user);
    check("group", current.group == next.group);
    check("pid_file", current.pid_file == next.pid_file);
    check("control", current.control == next.control);
    return keys;
}

std::string error_log_path(const Options& options, const config::Snapshot& snapshot) {
    return options.error_log.empty() ? snapshot.error_log.path : options.error_log;
}

Result<void> open_error_log(const Options& options, const config::Snapshot& snapshot) {
    return log::open(error_log_path(options, snapshot), log::parse_level(snapshot.error_log.level));
}

void log_lines(bool error, const std::string& text) {
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string one = text.substr(start, end - start);
        error ? log::error("{}", one) : log::warn("{}", one);
        start = end + 1;
    }
}

Loaded load_next(const Options& options, const std::shared_ptr<const config::Snapshot>& current,
                 const Build& build) {
    config::LoadOptions load = options.load_options();
    load.served = current;
    const config::LoadResult loaded = config::load(load);
    const std::string found = render_all(loaded.diagnostics);
    if (!loaded.snapshot) return {kConfigRefused, found, nullptr, {}};
    if (const auto keys = restart_keys(*current, *loaded.snapshot); !keys.empty()) {
        const auto why = fmt::format("a change of {} needs a restart", fmt::join(keys, ", "));
        return {kConfigRefused, line(why), nullptr, {}};
    }
    auto built = build(loaded.snapshot);
    if (!built) return {kFailure, line(built.error().detail), nullptr, {}};
    Loaded result{kSuccess, found, loaded.snapshot, std::move(*built)};
    for (const std::string& problem : result.next.problems) result.text += line(problem);
    return result;
}

server::ControlReply adopt_next(const Options& options, const config::Snapshot& current,
                                const Loaded& loaded, const Adopt& adopt) {
    if (!loaded.snapshot) return refused(loaded.exit_code, loaded.text);
    if (auto opened = open_error_log(options, *loaded.snapshot); !opened) {
        return refused(kFailure, line(opened.error().detail));
    }
    if (auto adopted = adopt(loaded.next); !adopted) {
        (void)open_error_log(options, current);
        return refused(kFailure, line(adopted.error().detail));
    }
    log_lines(false, loaded.text);
    log::info("reloaded {}", options.config);
    return {kSuccess, loaded.text + line("reloaded " + options.config)};
}

}  // namespace proxyd::daemon
