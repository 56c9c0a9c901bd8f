#include "proxyd/net/tls/client_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "proxyd/base/ip.hpp"

namespace proxyd::net::tls {
namespace {

/// Names may be the clients' choice ($host), so their number is bounded.
constexpr std::size_t kMostKeys = 1024;
/// A TLS 1.3 ticket is good for one connection (RFC 8446 C.4); a burst of them needs several.
constexpr std::size_t kMostSessions = 8;
constexpr unsigned char kProtocols[] = "\x08http/1.1";
constexpr unsigned char kBothProtocols[] = "\x02h2\x08http/1.1";

void free_key(void*, void* key, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<std::string*>(key);
}

/// Where a connection remembers what its sessions are good for.
int key_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_key);
    return index;
}

/// As certificates have it: without the dot of the root, or the brackets of an IPv6 address.
std::string_view plain_name(std::string_view name) noexcept {
    if (name.starts_with('[') && name.ends_with(']')) return name.substr(1, name.size() - 2);
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

bool set_name(SSL* ssl, const std::string& name, bool verify) {
    X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
    if (IpAddress::parse(name)) {
        return !verify || X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1;
    }
    if (!name.empty() && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) return false;
    if (!verify) return true;
    if (name.empty()) return false;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1;
}

}  // namespace

ClientContext::ClientContext(const ClientPolicy& policy)
    : verify_(policy.verifies()), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_alpn_protos(context_, kProtocols, sizeof kProtocols - 1);
    if (verify_) {
        SSL_CTX_set1_cert_store(context_, policy.trusted());
        SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    }
    if (const Certificate* const own = policy.certificate()) {
        SSL_CTX_use_cert_and_key(context_, own->leaf(), own->key(), own->chain(), 1);
    }
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_, &ClientContext::keep_session);
    SSL_CTX_set_app_data(context_, this);
}

ClientContext::~ClientContext() {
    SSL_CTX_set_app_data(context_, nullptr);  // its connections may live on
    for (auto& [key, sessions] : sessions_) {
        for (SSL_SESSION* session : sessions) SSL_SESSION_free(session);
    }
    SSL_CTX_free(context_);
}

SSL* ClientContext::open(std::string_view server, std::string_view name, bool http2) {
    const std::string wanted(plain_name(name));
    SSL* const ssl = SSL_new(context_);
    if (ssl == nullptr) return nullptr;
    SSL_set_connect_state(ssl);
    if (http2) SSL_set_alpn_protos(ssl, kBothProtocols, sizeof kBothProtocols - 1);
    if (!set_name(ssl, wanted, verify_)) {
        SSL_free(ssl);
        ERR_clear_error();
        return nullptr;
    }
    auto key = std::make_unique<std::string>(server);
    key->append("\n").append(wanted);
    resume(ssl, *key);
    SSL_set_ex_data(ssl, key_index(), key.release());
    return ssl;
}

/// Called by OpenSSL. 1: the session is ours now.
int ClientContext::keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* const self = static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const auto* key = static_cast<const std::string*>(SSL_get_ex_data(ssl, key_index()));
    if (self == nullptr || key == nullptr || SSL_SESSION_is_resumable(session) == 0) return 0;
    self->keep(*key, session);
    return 1;
}

void ClientContext::keep(const std::string& key, SSL_SESSION* session) {
    if (sessions_.size() >= kMostKeys && !sessions_.contains(key)) {
        for (SSL_SESSION* old : sessions_.begin()->second) SSL_SESSION_free(old);
        sessions_.erase(sessions_.begin());
    }
    Sessions& sessions = sessions_[key];
    if (sessions.size() >= kMostSessions) {
        SSL_SESSION_free(sessions.front());
        sessions.erase(sessions.begin());
    }
    sessions.push_back(session);
}

void ClientContext::resume(SSL* ssl, const std::string& key) {
    const auto found = sessions_.find(key);
    if (found == sessions_.end() || found->second.empty()) return;
    SSL_SESSION* const session = found->second.back();
    SSL_set_session(ssl, session);
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) return;
    found->second.pop_back();
    SSL_SESSION_free(session);
}

}  // namespace proxyd::net::tls
