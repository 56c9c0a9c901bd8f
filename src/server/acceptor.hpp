#pragma once

#include <functional>
#include <memory>

#include "listener_context.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/net/listen_events.hpp"
#include "proxyd/net/listen_socket.hpp"
#include "proxyd/net/proxy_protocol.hpp"

namespace proxyd::server {

/// A raw descriptor on its way to its worker.
struct Accepted {
    int descriptor = -1;
    net::Endpoint remote;
    std::shared_ptr<const ListenerContext> listener;
    net::ProxyHeader proxy;      ///< once it was read, where the listener wants one
    async::Milliseconds at = 0;  ///< when its worker got it
};

/// Takes connections off one listening socket in batches and hands the descriptors on. Lives on
/// one loop. Out of descriptors it pauses for a while instead of spinning, and goes on by itself.
class Acceptor {
  public:
    using Deliver = std::function<void(Accepted)>;
    /// `may_accept`: false while the process is at its limit of connections.
    Acceptor(async::Loop& loop, net::ListenSocket socket,
             std::shared_ptr<const ListenerContext> listener, Deliver deliver,
             std::function<bool()> may_accept);
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;
    ~Acceptor() = default;

    void start() { socket_.wait(false); }
    /// The last act before the socket closes: who is queued would be reset by it.
    void take_queued();
    /// For connections from now on; a changed backlog is told the kernel.
    void set_listener(std::shared_ptr<const ListenerContext> listener) noexcept;
    [[nodiscard]] const ListenerContext& listener() const noexcept { return *listener_; }

  private:
    void accept_batch();
    bool accept_one();
    void pause(const char* why);

    std::shared_ptr<const ListenerContext> listener_;
    Deliver deliver_;
    std::function<bool()> may_accept_;
    net::ListenEvents socket_;
    net::SocketFile file_;
    async::Deadline resume_;
    bool pause_logged_ = false;
};

}  // namespace proxyd::server
