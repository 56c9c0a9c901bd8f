#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/tls/client_context.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::net::tls {

/// A TLS handshake as client. Owned by the attempt that waits for it, loop's thread. Errors are of
/// the upstream and carry Retry::yes: nothing was asked yet. cancel() makes the pending connect()
/// return `why`.
class Handshake {
  public:
    explicit Handshake(async::Loop& loop) noexcept;
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;
    ~Handshake();

    /// Takes `below` over: on failure it is closed. `server`, `name` and `http2` as
    /// ClientContext::open() takes them; they outlive the call. `limit` 0 = none.
    Task<Result<TransportPtr>> connect(TransportPtr below, ClientContextPtr context,
                                       std::string_view server, std::string_view name, bool http2,
                                       std::chrono::milliseconds limit);
    /// After connect(): the server chose HTTP/2.
    [[nodiscard]] bool http2() const noexcept { return http2_; }
    void cancel(Error why);

  private:
    struct Pending;
    async::Loop& loop_;
    Pending* pending_ = nullptr;
    bool http2_ = false;
};

}  // namespace proxyd::net::tls
