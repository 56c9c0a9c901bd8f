#pragma once

#include "body_reader.hpp"
#include "framing.hpp"
#include "proxyd/codec/client_codec.hpp"

namespace proxyd::codec::h1 {

/// HTTP/1.1 towards a peer. One stream at a time; goes back to the pool only after an exchange
/// that was complete in both directions on a connection that both sides keep.
class ClientConnection final : public ClientCodec, private ChannelListener {
  public:
    ClientConnection(async::Loop& loop, net::TransportPtr transport, ClientObserver& observer);
    ~ClientConnection() override;

    std::unique_ptr<http::ClientStream> open(const ClientLimits& limits) override;
    [[nodiscard]] std::size_t room() const noexcept override { return stream_ == nullptr ? 1 : 0; }
    [[nodiscard]] std::size_t capacity() const noexcept override { return 1; }
    void set_idle_limit(std::chrono::milliseconds limit) override;
    [[nodiscard]] bool quiet() const noexcept override;
    [[nodiscard]] std::uint64_t exchanges() const noexcept override { return exchanges_; }

  private:
    class Stream;
    void on_unexpected_input() override;
    void on_input_end() override;
    void on_timer() override;
    void stream_ended(bool reusable);

    mutable Channel channel_;
    ClientObserver& observer_;
    Stream* stream_ = nullptr;
    std::uint64_t exchanges_ = 0;
    std::chrono::milliseconds idle_limit_{0};
};

}  // namespace proxyd::codec::h1
