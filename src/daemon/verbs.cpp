#include "daemon/verbs.hpp"

#include <fmt/core.h>

#include "daemon/build_info.hpp"
#include "daemon/cache_verb.hpp"
#include "daemon/config_test.hpp"
#include "daemon/daemon.hpp"
#include "daemon/demo.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/options.hpp"
#include "daemon/remote.hpp"
#include "daemon/reverse_proxy.hpp"
#include "daemon/upstream_verb.hpp"

namespace proxyd::daemon {
namespace {

int run(const Options& options) {
    switch (options.verb) {
        case Verb::test:
        case Verb::dump:
            return test_config(options);
        case Verb::send_signal:
            return call_running(options, options.signal);
        case Verb::status:
            return call_running(options, options.json ? "status --json" : "status");
        case Verb::upstream:
            return call_running(options, upstream_line(options));
        case Verb::cache:
            return call_running(options, cache_line(options));
        case Verb::version:
            fmt::print("proxyd {}\n", version());
            return kSuccess;
        case Verb::build_info:
            fmt::print("{}", build_info());
            return kSuccess;
        case Verb::demo:
            return run_demo(options);
        case Verb::reverse_proxy:
            return run_reverse_proxy(options);
        case Verb::run:
            return run_daemon(options);
    }
    return kUsage;
}

}  // namespace

int run_verb(int argc, const char* const* argv) {
    const ParsedOptions parsed = parse_options(argc, argv);
    if (parsed.options) return run(*parsed.options);
    fmt::print("{}", parsed.out);
    fmt::print(stderr, "{}", parsed.err);
    return parsed.exit_code;
}

}  // namespace proxyd::daemon
