#pragma once

#include <memory>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/stream.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::codec {

/// The protocol end of one client connection: yields exchanges. Owned by server::Connection, on
/// its worker's thread; must outlive the streams that it yielded.
class ServerCodec {
  public:
    virtual ~ServerCodec() = default;
    /// The next exchange; null when the connection has ended. HTTP/1 yields the next one only when
    /// the last stream is gone.
    virtual Task<std::unique_ptr<http::ServerStream>> accept() = 0;
    /// The exchange that runs or is on its way is the last one: idle connections close now, those
    /// that were used a moment ago after a short grace. May destroy the codec before it returns.
    virtual void drain() = 0;
    /// Cuts the connection; running exchanges are aborted. May destroy the codec.
    virtual void abort(Error why) = 0;
};

/// `facts` and `limits` outlive the codec.
[[nodiscard]] std::unique_ptr<ServerCodec> make_h1_server(async::Loop& loop,
                                                          net::TransportPtr transport,
                                                          const ServerLimits& limits,
                                                          http::StreamFacts& facts);

/// The connection preface is the first thing to come (ALPN h2, or prior knowledge).
[[nodiscard]] std::unique_ptr<ServerCodec> make_h2_server(async::Loop& loop,
                                                          net::TransportPtr transport,
                                                          const ServerLimits& limits,
                                                          http::StreamFacts& facts);

/// A plain connection on which the client chooses: HTTP/2 where it begins with the connection
/// preface (RFC 9113 3.3), otherwise HTTP/1.
[[nodiscard]] std::unique_ptr<ServerCodec> make_detecting_server(async::Loop& loop,
                                                                 net::TransportPtr transport,
                                                                 const ServerLimits& limits,
                                                                 http::StreamFacts& facts);

}  // namespace proxyd::codec
