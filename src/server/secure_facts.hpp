#pragma once

#include "proxyd/http/stream.hpp"
#include "proxyd/net/tls/server_handshake.hpp"

namespace proxyd::server {

/// What a handshake agreed on, as the streams of its connection tell it. Lives as long as those.
class SecureFacts {
  public:
    explicit SecureFacts(net::tls::Agreement agreement);
    SecureFacts(const SecureFacts&) = delete;  // the facts point into it
    SecureFacts& operator=(const SecureFacts&) = delete;
    [[nodiscard]] const http::TlsFacts& facts() const noexcept { return facts_; }

  private:
    void describe_client();

    // What the facts point into
    const std::shared_ptr<const void> host_;
    const std::string server_name_, client_verify_;
    const std::unique_ptr<const net::tls::ClientCertificate> client_;
    http::TlsFacts facts_;
};

}  // namespace proxyd::server
