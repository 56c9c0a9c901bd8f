#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>

#include "acceptor.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/codec/server_codec.hpp"
#include "proxyd/http/stream.hpp"
#include "secure_facts.hpp"

namespace proxyd::server {

class Worker;

/// One client connection: transport and codec, and the scope of its exchanges. Owned by its worker
/// from accept to close; removes itself at the end. Loop's thread.
class Connection : public boost::intrusive::list_base_hook<> {
  public:
    /// `secure` null: it is plain.
    Connection(Worker& worker, net::TransportPtr transport, const Accepted& accepted,
               std::uint64_t id, SecureFactsPtr secure);

    /// Until the connection has ended; then the worker destroys it.
    Task<void> run();
    void drain() { codec_->drain(); }
    void abort(const Error& why) { codec_->abort(why); }

  private:
    /// What few connections have; an idle one keeps little.
    struct OwnAddresses {
        std::string proxied;  ///< as a PROXY header named it
        std::string local;    ///< behind a wildcard address
    };

    /// As ALPN or the first bytes say.
    std::unique_ptr<codec::ServerCodec> make_codec(net::TransportPtr transport);
    OwnAddresses& own_addresses();
    void take_local_address(int descriptor);
    void take_proxy_header(const net::ProxyHeader& header);

    Worker& worker_;
    std::shared_ptr<const ListenerContext> listener_;
    std::string socket_address_;
    std::unique_ptr<OwnAddresses> own_addresses_;  ///< null: neither is there
    SecureFactsPtr secure_;                        ///< null = plain
    http::StreamFacts facts_;
    std::unique_ptr<codec::ServerCodec> codec_;
    async::TaskScope exchanges_;
};

}  // namespace proxyd::server
