#include "daemon/remote.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>

#include "daemon/cache_verb.hpp"
#include "daemon/exit_code.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/server/control.hpp"

namespace proxyd::daemon {
namespace {

/// A reload of many hosts, with names to resolve, takes its time, and so does looking at every file
/// of a cache; everything else is at once.
constexpr std::chrono::minutes kReloadLimit{5}, kCacheLimit{30};
constexpr std::chrono::seconds kLimit{10};

/// The last top-level line `control: PATH` of a text that is perhaps not even YAML.
std::string scan_for_control(std::istream& text) {
    constexpr std::string_view kKey = "control:";
    std::string found;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with(kKey)) continue;
        const std::string_view rest = std::string_view(line).substr(kKey.size());
        std::string_view value = text::trim(rest.substr(0, rest.find(" #")));
        if (value.ends_with('\r')) value.remove_suffix(1);
        if (value.size() > 1 && (value.front() == '"' || value.front() == '\'')) {
            value = value.substr(1, value.find(value.front(), 1) - 1);
        }
        found = value;
    }
    return found;
}

}  // namespace

std::string control_path(const Options& options) {
    // Not the whole configuration: it may have thousands of certificates.
    if (const auto control = config::read_control(options.load_options())) return *control;
    std::ostringstream all;
    if (std::ifstream file(options.config); file) all << file.rdbuf() << '\n';
    for (const std::string& each : options.overrides) all << each << '\n';
    std::istringstream text(all.str());
    const std::string found = scan_for_control(text);
    return found.empty() ? config::Snapshot().control : found;
}

int call_running(const Options& options, const std::string& line) {
    const std::string path = control_path(options);
    if (path.empty()) {
        fmt::print(stderr, "proxyd: {} says 'control: off'; use signals\n", options.config);
        return kFailure;
    }
    const std::chrono::milliseconds limit = line == "reload" ? kReloadLimit
                                            : is_cache_line(line)
                                                ? kCacheLimit
                                                : std::chrono::milliseconds(kLimit);
    const auto reply = server::control_call(path, line, limit);
    if (!reply) {
        fmt::print(stderr,
                   "proxyd: {}\nIs a proxyd running with {}? One that was started before 'control' "
                   "was changed in it listens where it did then: reach it with -g 'control: "
                   "OLD_PATH'; the change needs a restart.\n",
                   reply.error().detail, options.config);
        return kFailure;
    }
    fmt::print(reply->exit_code == kSuccess ? stdout : stderr, "{}", reply->text);
    return reply->exit_code;
}

}  // namespace proxyd::daemon
