#pragma once

#include <chrono>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/endpoint.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::net {

/// One connection attempt. Owned by the attempt that waits for it, loop's thread. Errors carry
/// Retry::yes: nothing was sent. cancel() makes the pending connect() return `why`.
class Connector {
  public:
    explicit Connector(async::Loop& loop) noexcept;
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    ~Connector();

    /// `limit` 0 = the kernel's own.
    Task<Result<TransportPtr>> connect(const Endpoint& endpoint, std::chrono::milliseconds limit);
    void cancel(Error why);

  private:
    struct Pending;
    async::Loop& loop_;
    boost::intrusive_ptr<Pending> pending_;
};

}  // namespace proxyd::net
