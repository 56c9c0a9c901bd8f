#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxyd/net/tls/client_policy.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;

namespace proxyd::net::tls {

/// A policy at work on one worker: OpenSSL's context, and the sessions of earlier connections,
/// each for one server under one name. Outlives generations as long as the policy is the same.
class ClientContext
    : public boost::intrusive_ref_counter<ClientContext, boost::thread_unsafe_counter> {
  public:
    explicit ClientContext(const ClientPolicy& policy);
    ~ClientContext();
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;

    /// The client's end of a connection to `server` (its address). `name` is asked for (SNI) and
    /// verified; an IP address is verified as such and not sent. `http2`: offered before HTTP/1.1
    /// (ALPN). Null: a name nobody can have, or no memory. The caller owns it.
    [[nodiscard]] SSL* open(std::string_view server, std::string_view name, bool http2);

  private:
    using Sessions = std::vector<SSL_SESSION*>;
    static int keep_session(SSL* ssl, SSL_SESSION* session);
    void keep(const std::string& key, SSL_SESSION* session);
    void resume(SSL* ssl, const std::string& key);

    const bool verify_;
    SSL_CTX* const context_;
    std::unordered_map<std::string, Sessions> sessions_;
};
using ClientContextPtr = boost::intrusive_ptr<ClientContext>;

}  // namespace proxyd::net::tls
