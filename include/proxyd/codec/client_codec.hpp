#pragma once

#include <chrono>
#include <memory>

#include "proxyd/async/loop.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/stream.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::codec {

class ClientCodec;

/// The pool's ear. Called last in a handler: may destroy the codec.
class ClientObserver {
  public:
    virtual void on_idle(ClientCodec& codec) = 0;    ///< no exchange runs, ready for the next
    virtual void on_closed(ClientCodec& codec) = 0;  ///< no exchange runs, of no use any more
    /// Another exchange may begin while others run, or the peer has said how many may.
    virtual void on_room(ClientCodec&) {}

  protected:
    ~ClientObserver() = default;
};

/// The protocol end of one connection to a peer. Owned by upstream::ConnectionPool, on its
/// worker's thread; must outlive its streams. An idle connection on which anything arrives closes.
class ClientCodec {
  public:
    virtual ~ClientCodec() = default;
    /// Only where there is room.
    virtual std::unique_ptr<http::ClientStream> open(const ClientLimits& limits) = 0;
    /// How many exchanges may begin now; HTTP/1 carries one at a time.
    [[nodiscard]] virtual std::size_t room() const noexcept = 0;
    /// How many the peer allows at one time, as far as it has said; 0: it has not yet.
    [[nodiscard]] virtual std::size_t capacity() const noexcept = 0;
    /// Closes by itself after so long without an exchange.
    virtual void set_idle_limit(std::chrono::milliseconds limit) = 0;
    /// Whether the kernel knows of nothing that speaks against a use (one system call).
    [[nodiscard]] virtual bool quiet() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t exchanges() const noexcept = 0;
};

[[nodiscard]] std::unique_ptr<ClientCodec> make_h1_client(async::Loop& loop,
                                                          net::TransportPtr transport,
                                                          ClientObserver& observer);

/// Many exchanges at one time. One may begin at once; the next when the peer has said how many it
/// allows. `scheme`: what requests say of this connection.
[[nodiscard]] std::unique_ptr<ClientCodec> make_h2_client(async::Loop& loop,
                                                          net::TransportPtr transport,
                                                          ClientObserver& observer,
                                                          http::Scheme scheme);

}  // namespace proxyd::codec
