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

server::ControlReply reload(const ReloadTarget& target) {
    const config::LoadResult loaded = config::load(target.options.load_options());
    const std::string found = render_all(loaded.diagnostics);
    if (!loaded.snapshot) return refused(kConfigRefused, found);
    if (const auto keys = restart_keys(*target.current, *loaded.snapshot); !keys.empty()) {
        return refused(kConfigRefused,
                       line(fmt::format("a change of {} needs a restart", fmt::join(keys, ", "))));
    }
    if (auto opened = open_error_log(target.options, *loaded.snapshot); !opened) {
        return refused(kFailure, line(opened.error().detail));
    }
    if (auto applied = target.apply(loaded.snapshot); !applied) {
        (void)open_error_log(target.options, *target.current);
        return refused(kFailure, line(applied.error().detail));
    }
    log_lines(false, found);
    log::info("reloaded {}", target.options.config);
    return {kSuccess, found + line("reloaded " + target.options.config)};
}

}  // namespace proxyd::daemon
