#pragma once

#include <boost/intrusive/list.hpp>

#include "acceptor.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/proxy_preface.hpp"
#include "proxyd/net/tls/server_handshake.hpp"

namespace proxyd::server {

class Worker;

/// A connection before it speaks HTTP: its PROXY header, then its TLS handshake, together within
/// client.header_timeout. Owned by its worker, which takes the connection over or logs why there
/// is none. Loop's thread.
class Arrival : public boost::intrusive::list_base_hook<> {
  public:
    Arrival(Worker& worker, Accepted accepted);

    /// Until the worker has it or it has failed; then the worker destroys the arrival.
    Task<void> run();
    /// What is on its way gets a short grace.
    void drain();
    void cancel(const Error& why);

  private:
    Task<Result<void>> read_header();
    Task<Result<net::tls::SecuredTransport>> shake_hands();
    [[nodiscard]] std::chrono::milliseconds time_left() const;

    Worker& worker_;
    Accepted accepted_;
    net::ProxyPreface* preface_ = nullptr;            ///< while its header is awaited
    net::tls::ServerHandshake* handshake_ = nullptr;  ///< while it goes on
    bool draining_ = false;
};

}  // namespace proxyd::server
