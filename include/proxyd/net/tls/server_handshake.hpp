#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/tls/server_context.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::net::tls {

/// What the certificate that a client showed says, in nginx's spelling.
struct ClientCertificate {
    std::string subject, issuer;      ///< RFC 2253
    std::string serial, fingerprint;  ///< hexadecimal; SHA-1
    std::string not_before, not_after;
    std::string pem;  ///< percent-encoded
};

/// What client and server agreed on.
struct Agreement {
    std::string_view protocol, cipher, curve;  ///< OpenSSL's own texts
    std::string_view application;              ///< ALPN: "h2", "http/1.1" or ""
    bool resumed = false;
    std::string server_name;  ///< in lower case
    ServedHost host;
    std::string client_verify;                  ///< "" = no certificate was asked for
    std::unique_ptr<ClientCertificate> client;  ///< null = none was shown
};

struct SecuredTransport {
    TransportPtr transport;
    Agreement agreement;
};

/// A TLS handshake as server. Owned by the connection that waits for it, loop's thread. Errors:
/// tls_handshake_failed, tls_handshake_timeout; client_closed when nothing was said; what
/// end_within() or cancel() was given.
class ServerHandshake {
  public:
    ServerHandshake(async::Loop& loop, ServerContext& context) noexcept;
    ServerHandshake(const ServerHandshake&) = delete;
    ServerHandshake& operator=(const ServerHandshake&) = delete;
    ~ServerHandshake();

    /// Takes `below` over: on failure it is closed. `listener` outlives the call. `limit` 0 = none.
    Task<Result<SecuredTransport>> accept(TransportPtr below, std::string_view listener, bool http2,
                                          std::chrono::milliseconds limit);
    /// A pending accept() returns `why` unless the handshake is complete within `limit`.
    void end_within(std::chrono::milliseconds limit, Error why);
    /// Makes a pending accept() return `why`.
    void cancel(Error why);

  private:
    struct Pending;
    async::Loop& loop_;
    ServerContext& context_;
    Pending* pending_ = nullptr;
};

}  // namespace proxyd::net::tls
