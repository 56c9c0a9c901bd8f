#pragma once

#include "proxyd/http/stream.hpp"

namespace proxyd::codec::h2 {

class ServerStreamH2;

/// WebSocket over the DATA of a stream (RFC 8441). The stream that made it outlives it.
class StreamTunnel final : public http::Tunnel {
  public:
    explicit StreamTunnel(ServerStreamH2& stream);
    Task<Result<std::string_view>> read() override;
    Task<Result<void>> write(std::string_view bytes) override;
    void finish() noexcept override;
    void abort(Error why) noexcept override;

  private:
    ServerStreamH2& stream_;
    bool ended_ = false;
};

}  // namespace proxyd::codec::h2
