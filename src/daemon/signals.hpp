#pragma once

#include <boost/asio/signal_set.hpp>
#include <functional>

#include "proxyd/async/loop.hpp"

namespace proxyd::daemon {

/// HUP, USR1, QUIT, TERM and INT as calls on the control loop. After the first TERM or INT the
/// next one ends the process at once, whatever the loop is doing.
class Signals {
  public:
    struct Actions {
        std::function<void()> reload, reopen, quit, stop;
    };
    Signals(async::Loop& loop, Actions actions);

  private:
    void wait();
    void act(int number);

    boost::asio::signal_set set_;
    Actions actions_;
};

}  // namespace proxyd::daemon
