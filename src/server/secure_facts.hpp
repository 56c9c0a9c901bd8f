#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <unordered_set>

#include "proxyd/http/stream.hpp"
#include "proxyd/net/tls/server_handshake.hpp"

namespace proxyd::server {

class SecureFactsTable;

/// What a handshake agreed on, as the streams of its connection tell it. Lives as long as those.
class SecureFacts : public boost::intrusive_ref_counter<SecureFacts, boost::thread_unsafe_counter> {
  public:
    explicit SecureFacts(net::tls::Agreement agreement);
    SecureFacts(const SecureFacts&) = delete;  // the facts point into it
    SecureFacts& operator=(const SecureFacts&) = delete;
    ~SecureFacts();
    [[nodiscard]] const http::TlsFacts& facts() const noexcept { return facts_; }

  private:
    friend class SecureFactsTable;
    struct Client;

    // What the facts point into
    const std::shared_ptr<const void> host_;
    const std::string server_name_;
    std::unique_ptr<const Client> client_;  ///< null = no certificate was shown
    http::TlsFacts facts_;
    SecureFactsTable* table_ = nullptr;  ///< null = not shared
};
using SecureFactsPtr = boost::intrusive_ptr<const SecureFacts>;

/// Clients of the same host agree on the same few things: their connections share one object.
/// Outlives the connections of its worker; on the worker's thread.
class SecureFactsTable {
  public:
    [[nodiscard]] SecureFactsPtr get(net::tls::Agreement agreement);

  private:
    friend class SecureFacts;
    struct Hash {
        std::size_t operator()(const SecureFacts* facts) const noexcept;
    };
    struct Equal {
        bool operator()(const SecureFacts* one, const SecureFacts* other) const noexcept;
    };
    std::unordered_set<SecureFacts*, Hash, Equal> known_;
};

}  // namespace proxyd::server
