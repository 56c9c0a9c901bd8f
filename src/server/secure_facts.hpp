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
    ~SecureFacts();
    [[nodiscard]] const http::TlsFacts& facts() const noexcept { return facts_; }

  private:
    struct Client;

    // What the facts point into
    const std::shared_ptr<const void> host_;
    const std::string server_name_;
    std::unique_ptr<const Client> client_;  ///< null = no certificate was shown
    http::TlsFacts facts_;
};

}  // namespace proxyd::server
