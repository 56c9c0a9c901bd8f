#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/options.hpp"
#include "daemon/pid_file.hpp"
#include "daemon/process.hpp"
#include "daemon/reloader.hpp"
#include "daemon/sd_notify.hpp"
#include "daemon/signals.hpp"
#include "daemon/watchdog.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// The running process: server, control socket, signals and service manager on one control loop.
/// Lives in run_daemon() on the main thread. A failure to start is an error of run(); afterwards
/// only signals and control verbs end it.
class Daemon {
  public:
    explicit Daemon(Options options);

    /// Called once, on the control loop, when everything is served.
    void on_ready(std::function<void()> ready) { ready_ = std::move(ready); }
    /// Returns the exit code of the process.
    int run(std::shared_ptr<const config::Snapshot> snapshot);
    /// From any thread: ends the loop as TERM does; run() returns `exit_code`.
    void end(int exit_code);

    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }

  private:
    Result<void> prepare(const config::Snapshot& snapshot);
    void serve(const Result<server::NextGeneration>& first);
    void cannot_start(const Error& why);
    void open_control(const std::string& path);
    Result<void> take_identity(const config::Snapshot& snapshot);
    void announce();

    void answer(const std::string& line, const server::ControlServer::Respond& respond);
    void quit();
    void stop();

    ServingProcess process_;
    Options options_;
    std::function<void()> ready_;
    int exit_code_ = 0;
    bool serving_ = false;
    bool stopping_ = false;  ///< draining, or about to end
    bool ended_ = false;
    async::Loop loop_;
    SdNotify notify_;
    PidFile pid_file_;
    server::Server server_;
    server::ControlServer control_;
    Reloader reloader_;
    Watchdog watchdog_;
    Signals signals_;
};

/// Loads the configuration and runs it to the end of the process. Exit code 78 when it is refused.
[[nodiscard]] int run_daemon(const Options& options);

}  // namespace proxyd::daemon
