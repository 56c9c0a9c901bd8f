#pragma once

#include "support/certificates.hpp"
#include "support/wire.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace proxyd::test {

// What a server with this context shows.
void use_pair(SSL_CTX* context, const Pair& pair);

struct TlsFrontOptions {
    Pair pair;
    int version = 0;           // TLS1_2_VERSION or TLS1_3_VERSION only; 0 = both
    std::string client_ca;     // PEM: clients must show a certificate of it
    bool close_notify = true;  // false: the connection just ends
    std::string alpn;          // chosen where the client offers it; "" = no ALPN
    std::size_t piece = 0;     // bytes of each record towards the client; 0 = as they come
};

// What it saw of a finished handshake.
struct TlsSeen {
    std::string name;  // SNI; "" = none was sent
    std::string version;
    bool resumed = false;
    bool client_certificate = false;
};

// Speaks TLS in front of a plain upstream on loopback: a thread for each connection.
class TlsFront {
  public:
    TlsFront(std::uint16_t behind, TlsFrontOptions options);
    ~TlsFront();
    TlsFront(const TlsFront&) = delete;
    TlsFront& operator=(const TlsFront&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::vector<TlsSeen> seen() const;
    // Until no connection is open.
    [[nodiscard]] bool wait_for_none(Duration limit = kLimit) const;

  private:
    void accept_loop();
    void run(int client);
    void note(SSL* ssl);
    void copy(SSL* ssl, int client, int plain);
    void end(SSL* ssl, int client) const;

    const std::uint16_t behind_;
    const TlsFrontOptions options_;
    SSL_CTX* context_ = nullptr;
    std::uint16_t port_ = 0;
    int listen_fd_ = -1;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<TlsSeen> seen_;
    std::vector<int> open_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace proxyd::test
