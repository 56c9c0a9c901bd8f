#pragma once

#include "support/daemon.hpp"

namespace proxyd::test {

// Waits until every thread of the daemon sleeps: it has done all it can with what came so far.
[[nodiscard]] bool wait_until_idle(const Daemon& daemon, Duration limit = kLimit);
// Waits until the kernel of the peer has every byte that was sent (TCP).
[[nodiscard]] bool delivered(const Wire& wire, Duration limit = kLimit);

// Stops the daemon while it sleeps; what is sent until it goes on comes to it as one batch of
// events. It goes on when the object ends.
class Frozen {
  public:
    explicit Frozen(const Daemon& daemon);
    ~Frozen();
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

  private:
    const Daemon& daemon_;
};

}  // namespace proxyd::test
