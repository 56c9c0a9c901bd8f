#pragma once

using SSL_CTX = struct ssl_ctx_st;

namespace proxyd::net::tls {

class ServerContext;

/// What OpenSSL asks while it shakes hands: whose name it is, which certificates, which protocol,
/// and the keys of tickets. `owner` outlives the context's handshakes.
void set_callbacks(SSL_CTX* context, ServerContext& owner);

}  // namespace proxyd::net::tls
