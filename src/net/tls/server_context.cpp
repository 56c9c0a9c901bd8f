#include "proxyd/net/tls/server_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "pem.hpp"
#include "server_callbacks.hpp"

namespace proxyd::net::tls {
namespace {

int version_of(ServerSettings::Version version) noexcept {
    return version == ServerSettings::Version::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

int verify_mode_of(ClientVerify verify) noexcept {
    switch (verify) {
        case ClientVerify::off:
            break;
        case ClientVerify::optional:
            return SSL_VERIFY_PEER;
        case ClientVerify::require:
            return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return SSL_VERIFY_NONE;
}

/// An optional certificate that is no good is a fact of the connection, not its end.
int accept_any(int, X509_STORE_CTX*) {
    return 1;
}

SSL_verify_cb verify_callback_of(ClientVerify verify) noexcept {
    return verify == ClientVerify::optional ? &accept_any : nullptr;
}

void set_ciphers(SSL_CTX* context, const ServerSettings& settings) {
    const std::string& given = settings.ciphers;
    SSL_CTX_set_cipher_list(context, given.empty() ? kDefaultCiphers : given.c_str());
    const std::string& suites = settings.ciphersuites;
    SSL_CTX_set_ciphersuites(context, suites.empty() ? kDefaultCiphersuites : suites.c_str());
    if (settings.prefer_server_ciphers) {
        SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    }
}

void set_client_verification(SSL_CTX* context, const ServerPolicy& policy) {
    if (policy.trusted() == nullptr) return;
    const ClientVerify verify = policy.settings().client_verify;
    SSL_CTX_set1_cert_store(context, policy.trusted());
    SSL_CTX_set_client_CA_list(context, SSL_dup_CA_list(policy.authorities()));
    SSL_CTX_set_verify(context, verify_mode_of(verify), verify_callback_of(verify));
}

std::shared_ptr<const ServerPolicy> usual_policy() {
    auto made = ServerPolicy::make({});
    return *std::move(made);  // without settings nothing can be wrong with them
}

}  // namespace

ServerContext::ServerContext(async::Loop& loop, const HostChooser& chooser,
                             std::shared_ptr<TicketKeys> tickets)
    : chooser_(chooser),
      tickets_(std::move(tickets)),
      turns_(loop),
      usual_(usual_policy()),
      base_(make_context(*usual_)) {}

ServerContext::~ServerContext() {
    forget_policies();
    SSL_CTX_free(base_);
}

void ServerContext::forget_policies() noexcept {
    for (const auto& [id, context] : others_) SSL_CTX_free(context);
    others_.clear();
}

/// What SSL_set_SSL_CTX() does not carry over is set by use_policy() again.
SSL_CTX* ServerContext::make_context(const ServerPolicy& policy) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    const ServerSettings& settings = policy.settings();
    SSL_CTX_set_min_proto_version(context, version_of(settings.min_version));
    SSL_CTX_set_max_proto_version(context, version_of(settings.max_version));
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    set_ciphers(context, settings);
    set_client_verification(context, policy);
    // Tickets only: no session is kept here, so that any worker can take it up.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, std::chrono::seconds(TicketKeys::kLifetime).count());
    SSL_CTX_set_num_tickets(context, 1);
    set_callbacks(context, *this);
    return context;
}

SSL_CTX* ServerContext::context_of(const ServerPolicy& policy) {
    if (policy.id() == usual_->id()) return base_;
    const auto [known, fresh] = others_.try_emplace(policy.id());
    if (fresh) known->second = make_context(policy);
    return known->second;
}

SSL* ServerContext::open() {
    SSL* const ssl = SSL_new(base_);
    if (ssl == nullptr) return nullptr;
    SSL_set_accept_state(ssl);
    return ssl;
}

void ServerContext::use_policy(SSL* ssl, const ServerPolicy& policy) {
    SSL_CTX* const context = context_of(policy);
    if (SSL_get_SSL_CTX(ssl) == context) return;
    const ServerSettings& settings = policy.settings();
    SSL_set_SSL_CTX(ssl, context);
    SSL_set_min_proto_version(ssl, version_of(settings.min_version));
    SSL_set_max_proto_version(ssl, version_of(settings.max_version));
    SSL_clear_options(ssl, SSL_get_options(ssl));
    SSL_set_options(ssl, SSL_CTX_get_options(context));
    SSL_set_verify(ssl, verify_mode_of(settings.client_verify),
                   verify_callback_of(settings.client_verify));
}

/// From here on the connection is the host's. A session is good for the same name of the same
/// host under the same settings only (RFC 6066 3).
bool ServerContext::serve(SSL* ssl, const Hello& hello) {
    use_policy(ssl, *hello.host.policy);
    const std::string context = digest_of({hello.host.identity, hello.name});
    return SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(context.data()),
                                      static_cast<unsigned>(context.size())) == 1;
}

}  // namespace proxyd::net::tls
