#pragma once

#include "proxyd/net/tls/host_chooser.hpp"
#include "proxyd/proxy/generation.hpp"

namespace proxyd::server {

/// Handshakes choose among the hosts that requests are routed to, so that both always agree.
class HostDirectory final : public net::tls::HostChooser {
  public:
    /// The worker's reference, which it replaces when it likes.
    explicit HostDirectory(const proxy::GenerationRef& generation) : generation_(generation) {}
    [[nodiscard]] net::tls::ServedHost choose(std::string_view name,
                                              std::string_view listener) const override;

  private:
    const proxy::GenerationRef& generation_;
};

}  // namespace proxyd::server
