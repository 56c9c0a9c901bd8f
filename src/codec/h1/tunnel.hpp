#pragma once

#include "channel.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec::h1 {

/// The bytes of a channel after an upgrade. The stream that made it outlives it.
class ChannelTunnel final : public http::Tunnel {
  public:
    explicit ChannelTunnel(Channel& channel, Source side) : channel_(channel), side_(side) {}
    Task<Result<std::string_view>> read() override;
    Task<Result<void>> write(std::string_view bytes) override;
    void finish() noexcept override { channel_.finish_output(); }
    void abort(Error why) noexcept override { channel_.fail(std::move(why)); }

  private:
    [[nodiscard]] Result<std::string_view> at_end() const;

    Channel& channel_;
    Source side_;
    std::size_t loaned_ = 0;
};

}  // namespace proxyd::codec::h1
