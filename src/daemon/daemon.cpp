#include "daemon/daemon.hpp"

#include <fmt/core.h>

#include "daemon/build_info.hpp"
#include "daemon/cache_verb.hpp"
#include "daemon/config_test.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/log_reopen.hpp"
#include "daemon/privileges.hpp"
#include "daemon/reload.hpp"
#include "daemon/status_text.hpp"
#include "daemon/upstream_verb.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::daemon {
Daemon::Daemon(Options options)
    : options_(std::move(options)),
      server_(loop_),
      control_(loop_, [this](const std::string& line,
                             server::ControlServer::Respond respond) { answer(line, respond); }),
      reloader_(loop_, server_, options_, notify_),
      watchdog_(loop_, server_, notify_),
      signals_(loop_, {.reload = [this] { reloader_.request([](const auto&) {}); },
                       .reopen = [this] { (void)reopen_logs(server_); },
                       .quit = [this] { quit(); },
                       .stop = [this] { stop(); }}) {}

int Daemon::run(std::shared_ptr<const config::Snapshot> snapshot) {
    if (const auto prepared = prepare(*snapshot); !prepared) {
        cannot_start(prepared.error());
        return exit_code_;
    }
    // The loop runs meanwhile: TERM must not wait for a name server that is silent.
    reloader_.start(snapshot, [this](const auto& first) { serve(first); });
    loop_.run();
    if (serving_ || exit_code_ == kSuccess) log::info("stopped");
    return exit_code_;
}

void Daemon::serve(const Result<server::NextGeneration>& first) {
    if (!first) return cannot_start(first.error());
    auto started = server_.start(*first);
    if (started) started = pid_file_.write();
    if (!started) return cannot_start(started.error());
    serving_ = true;
    announce();
}

void Daemon::cannot_start(const Error& why) {
    log::error("cannot start: {}", why.detail);
    exit_code_ = kFailure;
    stopping_ = ended_ = true;
    reloader_.stop();
    loop_.stop();
}

/// Everything that needs the rights we started with, then the loss of them. No thread runs yet.
Result<void> Daemon::prepare(const config::Snapshot& snapshot) {
    if (!snapshot.pid_file.empty()) {
        if (auto opened = pid_file_.open(snapshot.pid_file); !opened) return opened;
    }
    open_control(snapshot.control);
    if (auto taken = take_identity(snapshot); !taken) return taken;
    return open_error_log(options_, snapshot);
}

/// Without it everything works but the verbs.
void Daemon::open_control(const std::string& path) {
    if (path.empty()) return;
    if (auto opened = control_.open(path); !opened) {
        log::warn("{}; -s and status will not reach this process", opened.error().detail);
    }
}

Result<void> Daemon::take_identity(const config::Snapshot& snapshot) {
    const auto identity = identity_of(snapshot);
    if (!identity) return identity.error();
    if (!*identity) return {};
    hand_over(snapshot, error_log_path(options_, snapshot), **identity);
    return become(**identity);
}

void Daemon::announce() {
    const std::string where = listeners_text(*server_.snapshot());
    log::info("proxyd {} serves {} on {}", version(), options_.config, where);
    notify_.ready("serving on " + where);
    watchdog_.start();
    if (ready_) loop_.post(ready_);
}

void Daemon::answer(const std::string& line, const server::ControlServer::Respond& respond) {
    if (line == "reload") return reloader_.request(respond);
    if (line == "reopen") return respond(reopen_logs(server_));
    if (!serving_ &&
        (line.starts_with("status") || is_upstream_line(line) || is_cache_line(line))) {
        return respond({kFailure, "proxyd: still starting, names are looked up\n"});
    }
    if (line == "status" || line == "status --json") {
        const bool json = line != "status";
        return server_.status([respond, json](const server::Status& status) {
            respond({kSuccess, json ? status_json(status) : status_text(status)});
        });
    }
    if (is_upstream_line(line)) return respond(answer_upstream(server_, line));
    if (is_cache_line(line)) return answer_cache(server_, line, respond);
    if (line == "quit" || line == "stop") {
        respond({kSuccess, line == "quit" ? "proxyd: draining\n" : "proxyd: stopping\n"});
        return line == "quit" ? quit() : stop();
    }
    respond({kUsage, "proxyd: unknown control verb\n"});
}

void Daemon::quit() {
    if (stopping_) return;
    if (!serving_) return stop();
    stopping_ = true;
    reloader_.stop();
    const auto limit = server_.snapshot()->shutdown_timeout;
    log::info("draining{}", limit.count() == 0
                                ? std::string(" until the last request has ended")
                                : fmt::format(" for at most {} ms", limit.count()));
    notify_.stopping();
    server_.drain(limit, [this] { loop_.post([this] { stop(); }); });
}

void Daemon::stop() {
    if (ended_) return;
    ended_ = true;
    if (!stopping_) {
        log::info("stopping");
        notify_.stopping();
    }
    stopping_ = true;
    reloader_.stop();
    server_.stop();
    loop_.stop();
}

void Daemon::end(int exit_code) {
    loop_.post([this, exit_code] {
        exit_code_ = exit_code;
        stop();
    });
}

int run_daemon(const Options& options) {
    const config::LoadResult loaded = config::load(options.load_options());
    fmt::print(stderr, "{}", render_all(loaded.diagnostics));
    if (!loaded.snapshot) {
        fmt::print(stderr, "proxyd: configuration file {} is refused\n", options.config);
        return kConfigRefused;
    }
    return Daemon(options).run(loaded.snapshot);
}

}  // namespace proxyd::daemon
