#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxyd/net/tls/handshake_turns.hpp"
#include "proxyd/net/tls/host_chooser.hpp"
#include "proxyd/net/tls/server_policy.hpp"
#include "proxyd/net/tls/ticket_keys.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace proxyd::net::tls {

/// What a client asks for first, and who answers. Lives as long as the handshake.
struct Hello {
    Hello(std::string_view its_listener, bool offers_http2)
        : listener(its_listener), http2(offers_http2) {}
    std::string_view listener;
    bool http2;
    // From the client's first message on
    std::string name;  ///< in lower case; "" = none
    ServedHost host;
    std::string refusal;  ///< why there is no handshake; "" = not for its name
};

/// Handshakes since the start.
struct HandshakeCounts {
    std::uint64_t tls12 = 0, tls13 = 0;  ///< complete, by version
    std::uint64_t resumed = 0;           ///< of those
    std::uint64_t failed = 0;
};

/// TLS towards clients on one worker: a context of OpenSSL for each policy, however many hosts
/// share it; certificates are set for each handshake. Outlives the worker's connections.
class ServerContext {
  public:
    ServerContext(async::Loop& loop, const HostChooser& chooser,
                  std::shared_ptr<TicketKeys> tickets);
    ~ServerContext();
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;

    /// The server's end of a connection; null: no memory. The caller owns it.
    [[nodiscard]] SSL* open();
    /// Whose handshake the next calls of OpenSSL belong to: its callbacks ask for it. No memory of
    /// the connection is spent on it. Null = nobody's.
    void shake(Hello* hello) noexcept { shaking_ = hello; }
    /// After a reload: contexts that are still asked for are made anew.
    void forget_policies() noexcept;
    [[nodiscard]] HandshakeTurns& turns() noexcept { return turns_; }
    [[nodiscard]] HandshakeCounts& counts() noexcept { return counts_; }
    [[nodiscard]] const HandshakeCounts& counts() const noexcept { return counts_; }

  private:
    friend struct ServerCallbacks;
    [[nodiscard]] SSL_CTX* context_of(const ServerPolicy& policy);
    [[nodiscard]] SSL_CTX* make_context(const ServerPolicy& policy);
    [[nodiscard]] bool serve(SSL* ssl, const Hello& hello);
    void use_policy(SSL* ssl, const ServerPolicy& policy);

    const HostChooser& chooser_;
    const std::shared_ptr<TicketKeys> tickets_;
    HandshakeTurns turns_;
    HandshakeCounts counts_;
    Hello* shaking_ = nullptr;
    std::shared_ptr<const ServerPolicy> usual_;         ///< without settings; most hosts have it
    SSL_CTX* base_ = nullptr;                           ///< of it; every connection begins with it
    std::unordered_map<std::string, SSL_CTX*> others_;  ///< by the policy's id
};

}  // namespace proxyd::net::tls
