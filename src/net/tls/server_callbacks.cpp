#include "server_callbacks.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <optional>
#include <span>

#include "proxyd/base/text.hpp"
#include "proxyd/net/tls/certificate.hpp"
#include "proxyd/net/tls/server_context.hpp"

namespace proxyd::net::tls {
namespace {

using Bytes = std::span<const unsigned char>;

constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
constexpr unsigned kHttp2Bytes = 3;

ServerContext& owner_of(const SSL* ssl) {
    return *static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

bool is_name_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// RFC 6066 3: a list with one name of the only type there is. None: it is broken.
std::optional<std::string> read_server_name(Bytes list) {
    constexpr std::size_t kHead = 5;
    if (list.size() <= kHead || list[2] != TLSEXT_NAMETYPE_host_name) return std::nullopt;
    const std::size_t of_list = list[0] * 256U + list[1];
    const std::size_t of_name = list[3] * 256U + list[4];
    if (of_list != list.size() - 2 || of_name != list.size() - kHead) return std::nullopt;
    std::string name(reinterpret_cast<const char*>(list.data()) + kHead, of_name);
    std::ranges::transform(name, name.begin(), text::lower);
    return name;
}

int refuse(Hello& hello, int& alert, int kind, std::string why) {
    hello.refusal = std::move(why);
    alert = kind;
    return SSL_CLIENT_HELLO_ERROR;
}

// Tickets (RFC 5077 4): AES-256-CBC, then HMAC-SHA256 ---------------------------------------------

/// Looked up once: each look-up takes a lock that all threads share.
EVP_CIPHER* ticket_cipher() {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    return cipher;
}

bool authenticate_with(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    return EVP_MAC_init(mac, key.authentication.data(), key.authentication.size(), params) == 1;
}

constexpr int kFailed = -1, kUnknown = 0, kGood = 1, kGoodButOld = 2;

int seal_ticket(TicketKeys& keys, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac) {
    const TicketKeys::KeyPtr key = keys.current();
    if (key == nullptr || RAND_bytes(iv, EVP_CIPHER_get_iv_length(ticket_cipher())) != 1) {
        return kFailed;
    }
    std::ranges::copy(key->name, name);
    const bool ready =
        EVP_EncryptInit_ex2(cipher, ticket_cipher(), key->encryption.data(), iv, nullptr) == 1 &&
        authenticate_with(mac, *key);
    return ready ? kGood : kFailed;
}

int open_ticket(TicketKeys& keys, const unsigned char* name, const unsigned char* iv,
                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
    const TicketKeys::KeyPtr key = keys.find(name);
    if (key == nullptr) return kUnknown;
    const bool ready =
        EVP_DecryptInit_ex2(cipher, ticket_cipher(), key->encryption.data(), iv, nullptr) == 1 &&
        authenticate_with(mac, *key);
    if (!ready) return kFailed;
    return key == keys.current() ? kGood : kGoodButOld;
}

}  // namespace

struct ServerCallbacks {
    static Hello& hello_of(const SSL* ssl) { return *owner_of(ssl).shaking_; }

    /// Before anything else is looked at, sessions included.
    static int hello(SSL* ssl, int* alert, void* owner) {
        auto& context = *static_cast<ServerContext*>(owner);
        if (context.shaking_ == nullptr) return SSL_CLIENT_HELLO_ERROR;  // outside a handshake
        Hello& hello = *context.shaking_;
        const unsigned char* data = nullptr;
        std::size_t size = 0;
        hello.name.clear();
        if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) == 1) {
            auto name = read_server_name({data, size});
            if (!name)
                return refuse(hello, *alert, SSL_AD_DECODE_ERROR, "the server name is broken");
            if (!std::ranges::all_of(*name, is_name_char)) {
                return refuse(hello, *alert, SSL_AD_UNRECOGNIZED_NAME,
                              "the asked server name is none");
            }
            hello.name = *std::move(name);
        }
        hello.host = context.chooser_.choose(hello.name, hello.listener);
        if (hello.host.policy == nullptr) {
            return refuse(
                hello, *alert, SSL_AD_UNRECOGNIZED_NAME,
                hello.name.empty()
                    ? "the client asked for no server name and there is no host '*' with tls"
                    : "no host with tls has the name '" + hello.name + "'");
        }
        if (context.serve(ssl, hello)) return SSL_CLIENT_HELLO_SUCCESS;
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }

    /// Where no session was resumed. Of certificates with different keys OpenSSL shows the one
    /// that the client can check.
    static int certificates(SSL* ssl, void*) {
        // A name for it: a loop keeps only what its range refers to, and a renewal may drop this.
        const auto set = hello_of(ssl).host.certificates->current();
        for (const auto& each : *set) {
            if (SSL_use_certificate(ssl, each->leaf()) != 1 ||
                SSL_use_PrivateKey(ssl, each->key()) != 1 ||
                SSL_set1_chain(ssl, each->chain()) != 1) {
                return 0;
            }
        }
        return 1;
    }

    /// Ours first: h2 where the listener has it. RFC 7301 3.2.
    static int protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                        const unsigned char* offered, unsigned offered_size, void*) {
        const unsigned skip = hello_of(ssl).http2 ? 0 : kHttp2Bytes;
        const int outcome =
            SSL_select_next_proto(const_cast<unsigned char**>(chosen), size, kProtocols + skip,
                                  sizeof kProtocols - 1 - skip, offered, offered_size);
        if (outcome == OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_OK;
        hello_of(ssl).refusal = "the client speaks no protocol of ours (ALPN)";
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    static int ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int sealing) {
        TicketKeys& keys = *owner_of(ssl).tickets_;
        return sealing != 0 ? seal_ticket(keys, name, iv, cipher, mac)
                            : open_ticket(keys, name, iv, cipher, mac);
    }
};

void set_callbacks(SSL_CTX* context, ServerContext& owner) {
    SSL_CTX_set_app_data(context, &owner);
    SSL_CTX_set_client_hello_cb(context, &ServerCallbacks::hello, &owner);
    SSL_CTX_set_cert_cb(context, &ServerCallbacks::certificates, nullptr);
    SSL_CTX_set_alpn_select_cb(context, &ServerCallbacks::protocol, nullptr);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &ServerCallbacks::ticket);
}

}  // namespace proxyd::net::tls
