#pragma once

#include "support/certificates.hpp"
#include "support/raw_client.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace proxyd::test {

// A session that a later connection may come back with.
using TlsSession = std::shared_ptr<SSL_SESSION>;

struct TlsOptions {
    std::string name = "app.test";       // SNI; "" = none is sent
    std::vector<std::string> protocols;  // ALPN, as they are; none = the extension is not sent
    int version = 0;                     // TLS1_2_VERSION or TLS1_3_VERSION only; 0 = both
    std::string ciphers;                 // of TLS 1.2, OpenSSL's notation
    std::string signatures;              // e.g. "RSA-PSS+SHA256": no certificate of another kind
    TlsSession session;                  // comes back with it
    Pair certificate;                    // of the client; empty = none
    std::string before;                  // plain bytes in front of the handshake
    ClientOptions socket;
};

// A RawClient whose bytes are encrypted. The constructor shakes hands; a handshake that fails is no
// exception: handshake_error() says why. An end without close_notify counts as a reset.
class TlsClient : public RawClient {
  public:
    explicit TlsClient(std::uint16_t port, const TlsOptions& options = {});

    [[nodiscard]] bool secure() const { return error_.empty(); }
    // "" or OpenSSL's words, e.g. "tlsv1 unrecognized name".
    [[nodiscard]] const std::string& handshake_error() const { return error_; }
    [[nodiscard]] std::string version() const { return SSL_get_version(ssl_); }
    [[nodiscard]] std::string cipher() const;
    [[nodiscard]] std::string protocol() const;  // what ALPN agreed on
    [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_) == 1; }
    // The PEM text of the server's certificate.
    [[nodiscard]] std::string server_certificate() const;
    // Waits for a ticket; null when none came.
    [[nodiscard]] TlsSession session();
    // close_notify, nothing else.
    void say_goodbye();
    [[nodiscard]] SSL* ssl() { return ssl_; }

  private:
    SSL* ssl_ = nullptr;  // the wire's
    std::string error_;
};

// One GET on a connection of its own.
Response get_tls(std::uint16_t port, std::string_view path, const TlsOptions& options = {},
                 std::string_view host = "");

}  // namespace proxyd::test
