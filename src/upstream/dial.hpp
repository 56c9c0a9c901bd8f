#pragma once

#include <map>
#include <string>

#include "proxyd/net/connector.hpp"
#include "proxyd/net/tls/handshake.hpp"
#include "proxyd/upstream/attempt.hpp"

namespace proxyd::upstream {

/// The TLS contexts of one worker, by policy.
class ClientContexts {
  public:
    net::tls::ClientContextPtr of(const std::shared_ptr<const net::tls::ClientPolicy>& policy);
    /// Lets go of those whose policy no generation has any more.
    void forget_unused();

  private:
    struct Entry {
        net::tls::ClientContextPtr context;
        std::weak_ptr<const net::tls::ClientPolicy> policy;  ///< the last that asked
    };
    std::map<std::string, Entry> contexts_;  ///< by ClientPolicy::id()
};

/// What a connection to a peer begins with, and so whom it may serve: the PROXY header that is
/// sent first, and the name that TLS asks for and verifies. Both empty: everybody.
struct Opening {
    std::string header;
    std::string name;
    bool name_is_asked = false;  ///< the name is the request's choice, not the configuration's
    bool http2 = false;          ///< offered with TLS, spoken without
    std::string tag;             ///< the same tag = interchangeable connections; "" = plain
};
[[nodiscard]] Opening opening_of(const config::Upstream& upstream, const Peer& peer,
                                 const AttemptSettings& settings);

/// Makes one connection: connect, PROXY header, TLS handshake, all within one limit. Owned by the
/// attempt that waits for it, loop's thread; opens once. cancel() makes the pending open() return
/// `why`: last action.
class Dial {
  public:
    Dial(async::Loop& loop, ClientContexts& contexts) noexcept;
    /// The arguments outlive the call.
    Task<Result<net::TransportPtr>> open(const config::Upstream& upstream, const Peer& peer,
                                         const Opening& opening, std::chrono::milliseconds limit);
    /// After open(): what the connection speaks.
    [[nodiscard]] bool http2() const noexcept { return http2_; }
    void cancel(const Error& why);

  private:
    async::Loop& loop_;
    ClientContexts& contexts_;
    net::Connector connector_;
    net::tls::Handshake handshake_;
    bool connected_ = false;  ///< the handshake is what is waited for
    bool http2_ = false;
};

}  // namespace proxyd::upstream
