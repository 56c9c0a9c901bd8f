#include "daemon/reloader.hpp"

#include <algorithm>
#include <utility>

#include "daemon/exit_code.hpp"
#include "daemon/reload.hpp"
#include "daemon/status_text.hpp"

namespace proxyd::daemon {
namespace {

constexpr std::chrono::milliseconds kSoon{100};

server::ControlReply shutting_down() {
    return {kFailure, "proxyd: shutting down, nothing is reloaded\n"};
}

}  // namespace

Reloader::Reloader(async::Loop& loop, server::Server& server, const Options& options,
                   const SdNotify& notify)
    : loop_(loop),
      server_(server),
      options_(options),
      notify_(notify),
      names_due_(
          loop.wheel(), [](void* self) { static_cast<Reloader*>(self)->refresh_names(); }, this) {}

void Reloader::start(std::shared_ptr<const config::Snapshot> snapshot, First serve) {
    starting_ = true;
    run([this, snapshot, serve = std::move(serve)](const std::stop_token& stop) -> Rest {
        auto built =
            std::make_shared<const Result<server::NextGeneration>>(server_.build(snapshot, stop));
        return [this, serve, built] {
            starting_ = false;
            serve(*built);
        };
    });
}

void Reloader::request(Respond respond) {
    if (stopped_) return respond(shutting_down());
    waiting_.push_back(std::move(respond));
    if (!busy_) return begin();
    // Only names are looked up: a reload does that too.
    if (asked_.empty() && !starting_) thread_.request_stop();
}

void Reloader::begin() {
    asked_ = std::exchange(waiting_, {});
    notify_.reloading();
    run([this, current = server_.snapshot()](const std::stop_token& stop) -> Rest {
        const auto build = [&](std::shared_ptr<const config::Snapshot> snapshot) {
            return server_.build(std::move(snapshot), stop);
        };
        return [this, current, loaded = load_next(options_, current, build)] {
            const auto adopt = [this](const server::NextGeneration& next) {
                return server_.adopt(next);
            };
            finish(adopt_next(options_, *current, loaded, adopt));
        };
    });
}

void Reloader::finish(const server::ControlReply& reply) {
    notify_.ready(reply.exit_code == kSuccess
                      ? "serving on " + listeners_text(*server_.snapshot())
                      : "the last reload was refused, the configuration before it goes on");
    for (const Respond& respond : std::exchange(asked_, {})) respond(reply);
}

void Reloader::expect_names() {
    const auto after = server_.refresh_after();
    after ? names_due_.arm(std::max(*after, kSoon)) : names_due_.disarm();
}

void Reloader::refresh_names() {
    if (busy_ || stopped_) return;
    run([this, current = server_.snapshot()](const std::stop_token& stop) -> Rest {
        return [this, next = server_.refresh_names(current, stop)] {
            if (next) (void)server_.adopt(*next);
        };
    });
}

void Reloader::run(std::function<Rest(const std::stop_token&)> job) {
    busy_ = true;
    thread_ = std::jthread([this, job = std::move(job)](const std::stop_token& stop) {
        loop_.post([this, rest = job(stop)] {
            if (stopped_) return;
            busy_ = false;
            rest();
            if (stopped_) return;
            waiting_.empty() ? expect_names() : begin();
        });
    });
}

void Reloader::stop() {
    stopped_ = true;
    names_due_.disarm();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    asked_.insert(asked_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    for (const Respond& respond : std::exchange(asked_, {})) respond(shutting_down());
}

}  // namespace proxyd::daemon
