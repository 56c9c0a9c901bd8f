#pragma once

#include <memory>

#include "proxyd/proxy/generation.hpp"

namespace proxyd::server {

/// The thread of the active checks, so that a bad backend can slow neither workers nor the control
/// loop. It starts with the first generation that has a check. Lives on the control loop.
class HealthThread {
  public:
    HealthThread();
    ~HealthThread();

    /// Checks what this generation asks for, from now on.
    void watch(const proxy::Generation& generation);
    /// Ends the checks and the thread.
    void stop();

  private:
    struct Running;
    std::unique_ptr<Running> running_;
};

}  // namespace proxyd::server
