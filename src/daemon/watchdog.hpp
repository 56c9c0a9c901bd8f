#pragma once

#include <boost/asio/steady_timer.hpp>

#include "daemon/sd_notify.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::daemon {

/// Feeds the service manager's watchdog, when it wants that: three times in its limit, and only
/// after every worker has answered. A worker that hangs gets the process restarted.
class Watchdog {
  public:
    Watchdog(async::Loop& loop, server::Server& server, const SdNotify& notify);
    void start();

  private:
    void ask();

    boost::asio::steady_timer timer_;
    server::Server& server_;
    const SdNotify& notify_;
};

}  // namespace proxyd::daemon
