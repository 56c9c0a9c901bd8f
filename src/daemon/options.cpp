#include "daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "daemon/cache_verb.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/suggest.hpp"

namespace proxyd::daemon {
namespace {

const std::vector<std::string> kSignals{"reload", "quit", "stop", "reopen"};
const std::vector<std::string> kPlannedVerbs{"explain", "hash-password", "schema", "convert"};

const std::vector<std::string> kOrders{"list", "drain", "down", "up"};

/// The letters are nginx's.
struct Flags {
    bool test = false, dump = false, version = false, build_info = false;
};

void add_letters(CLI::App& app, Options& options, Flags& flags) {
    app.set_help_flag("-h,--help", "show this help");
    app.add_flag("-t", flags.test, "test the configuration, then exit");
    app.add_flag("-T", flags.dump, "test it and print it merged, with the origin of every line");
    app.add_flag("-q", options.quiet, "with -t: say nothing but errors");
    app.add_option("-c", options.config, "configuration file")->capture_default_str();
    app.add_option("-s", options.signal, "tell the running process: reload, quit, stop or reopen");
    app.add_option("-g", options.overrides, "override a key, as in -g 'workers: 2'")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("-e", options.error_log, "error log: stderr, syslog or a file");
    app.add_flag("-v", flags.version, "show the version");
    app.add_flag("-V", flags.build_info, "show version, compiler, libraries and features");
    app.add_flag("--json", options.json, "answer in JSON (status, upstream list, cache)");
}

/// What a script makes of a variable that is not set must not be taken for what was not given.
std::string not_empty(const std::string& text) { return text.empty() ? "it is empty" : ""; }

void add_cache_verb(CLI::App& cache, Options& options) {
    cache.add_option("ORDER", options.order,
                     "purge: the entry of a URL, or all of a prefix or tag; list; stats");
    cache.add_option("ZONE", options.zone, "the cache")->check(not_empty);
    cache.add_option("URL", options.url, "as clients ask for it, with http:// or https://")
        ->check(not_empty);
    cache.add_option("--prefix", options.prefix, "purge every URL that begins so")
        ->check(not_empty);
    cache.add_option("--tag", options.tag, "purge what has this Surrogate-Key or Cache-Tag")
        ->check(not_empty);
    cache.add_flag("--soft", options.soft, "make stale instead of removing");
}

void add_verbs(CLI::App& app, Options& options) {
    const auto verb = [&](const char* name, const char* text, Verb value) {
        return app.add_subcommand(name, text)->final_callback([&options, value] {
            options.verb = value;
        });
    };
    app.fallthrough();
    app.require_subcommand(0, 1);
    verb("run", "serve in the foreground (what happens without a verb)", Verb::run);
    auto* const demo = verb("demo", "show a proxy at work with an upstream of its own", Verb::demo);
    demo->add_flag("--once", options.once, "end after the requests, with 0 or 1");
    auto* const proxy = verb("reverse-proxy", "serve without a file: one address to one upstream",
                             Verb::reverse_proxy);
    proxy->add_option("--from", options.from, "listen here, as in :8080")->required();
    proxy->add_option("--to", options.to, "the upstream, as in 3000 or 10.0.0.5:3000")->required();
    verb("status", "workers, connections and the peers of each upstream", Verb::status);
    auto* const upstream =
        verb("upstream", "list servers; take them out of service and back", Verb::upstream);
    upstream->add_option(
        "ORDER", options.order,
        "list; drain: only clients that stick to it; down: no request; up: as usual");
    upstream->add_option("NAME", options.upstream, "the upstream");
    upstream->add_option("SERVER", options.server, "its server; all of them when not given")
        ->check([](const std::string& text) {
            return std::string(text.empty() ? "an empty SERVER is none" : "");
        });
    add_cache_verb(*verb("cache", "purge, list and count what caches hold", Verb::cache), options);
}

ParsedOptions usage(const std::string& message) {
    return {std::nullopt, kUsage, "", "proxyd: " + message + "\nTry 'proxyd -h'.\n"};
}

std::string with_suggestion(std::string message, const std::string& typed,
                            const std::vector<std::string>& known) {
    const std::string word = nearest(typed, known);
    if (!word.empty()) message += ": did you mean '" + word + "'?";
    return message;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    for (const CLI::App* verb : app.get_subcommands(nullptr)) {
        for (const auto& name : option_names(*verb)) names.push_back(name);
    }
    return names;
}

/// A word on the command line that means nothing.
ParsedOptions unknown_word(const CLI::App& app) {
    const std::vector<std::string> left = app.remaining(true);
    const std::string typed = left.empty() ? "" : left.front();
    if (typed.starts_with("-")) {
        return usage(with_suggestion("unknown option '" + typed + "'", typed, option_names(app)));
    }
    if (std::ranges::find(kPlannedVerbs, typed) != kPlannedVerbs.end()) {
        return usage("'" + typed + "' is not built yet");
    }
    std::vector<std::string> verbs;
    for (const CLI::App* verb : app.get_subcommands(nullptr)) verbs.push_back(verb->get_name());
    return usage(with_suggestion("unknown verb '" + typed + "'", typed, verbs));
}

/// Orders are few: what is missing or misspelt is said here.
std::string wrong_order(const Options& options) {
    if (options.order.empty()) return "'upstream' wants list, drain, down or up";
    if (std::ranges::find(kOrders, options.order) == kOrders.end()) {
        return with_suggestion("unknown order '" + options.order + "' for upstream", options.order,
                               kOrders);
    }
    if (options.order != "list" && options.upstream.empty()) {
        return "'upstream " + options.order + "' wants the name of an upstream";
    }
    if (options.order == "list" && !options.server.empty()) {
        return "'upstream list' takes no SERVER";
    }
    const bool tidy =
        (options.upstream + options.server).find_first_of("\t\n") == std::string::npos;
    return tidy ? "" : "a name with a tab or a line feed cannot be given";
}

ParsedOptions checked(Options options, const Flags& flags) {
    if (options.verb == Verb::upstream) {
        if (std::string wrong = wrong_order(options); !wrong.empty()) return usage(wrong);
    }
    if (options.verb == Verb::cache) {
        if (std::string wrong = wrong_cache_words(options); !wrong.empty()) return usage(wrong);
    }
    if (!options.signal.empty()) options.verb = Verb::send_signal;
    if (flags.test) options.verb = Verb::test;
    if (flags.dump) options.verb = Verb::dump;
    if (flags.version) options.verb = Verb::version;
    if (flags.build_info) options.verb = Verb::build_info;
    if (!options.signal.empty() && std::ranges::find(kSignals, options.signal) == kSignals.end()) {
        return usage(with_suggestion("unknown signal '" + options.signal + "' for -s",
                                     options.signal, kSignals));
    }
    return {std::move(options), kSuccess, "", ""};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    Options options;
    Flags flags;
    CLI::App app{"proxyd, an HTTP reverse proxy", "proxyd"};
    add_letters(app, options, flags);
    add_verbs(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, kSuccess, app.help(), ""};
    } catch (const CLI::ExtrasError&) {
        return unknown_word(app);
    } catch (const CLI::ParseError& error) {
        return usage(error.what());
    }
    return checked(std::move(options), flags);
}

}  // namespace proxyd::daemon
