#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "daemon/options.hpp"
#include "daemon/sd_notify.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/server/control.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// Loads, looks names up and builds on a thread of its own, one at a time, while the control loop
/// goes on; the loop then takes the result over. Who asks while a reload runs is answered by one
/// more behind it, which reads the file anew. Names are looked up again by themselves
/// when they are due. Lives on the control loop; stop() ends the thread and answers everybody.
class Reloader {
  public:
    using Respond = server::ControlServer::Respond;

    Reloader(async::Loop& loop, server::Server& server, const Options& options,
             const SdNotify& notify);
    ~Reloader() { stop(); }

    using First = std::function<void(const Result<server::NextGeneration>&)>;
    /// Builds what is served first and hands it over on the loop. Reloads come after it.
    void start(std::shared_ptr<const config::Snapshot> snapshot, First serve);
    void request(Respond respond);
    void stop();

  private:
    /// What a job leaves to be done on the loop.
    using Rest = std::function<void()>;

    void begin();
    void finish(const server::ControlReply& reply);
    void expect_names();
    void refresh_names();
    void run(std::function<Rest(const std::stop_token&)> job);

    async::Loop& loop_;
    server::Server& server_;
    const Options& options_;
    const SdNotify& notify_;
    std::vector<Respond> waiting_;  ///< for the next reload
    std::vector<Respond> asked_;    ///< for the one that runs
    bool busy_ = false;
    bool starting_ = false;
    bool stopped_ = false;
    async::Deadline names_due_;
    std::jthread thread_;
};

}  // namespace proxyd::daemon
