#pragma once

#include "channel.hpp"
#include "framing.hpp"
#include "proxyd/codec/server_codec.hpp"

namespace proxyd::codec::h1 {

class ServerStreamH1;

/// HTTP/1.0 and 1.1 from a client: one stream after the other. Decides whether the connection
/// lives on, drains what an exchange left unread, and closes so that the last answer arrives.
class ServerConnection final : public ServerCodec, private ChannelListener {
  public:
    ServerConnection(async::Loop& loop, net::TransportPtr transport, const ServerLimits& limits,
                     http::StreamFacts& facts, std::string_view received = {});
    ~ServerConnection() override;

    Task<std::unique_ptr<http::ServerStream>> accept() override;
    void drain() override;
    void abort(Error why) override;

  private:
    friend class ServerStreamH1;
    enum class Next : std::uint8_t { more, head, late, refused, closed };

    void on_unexpected_input() override {}
    void on_input_end() override;
    void on_timer() override {
        if (stream_ != nullptr) channel_.look();
    }

    void expect_head();
    [[nodiscard]] Next scan_head();
    [[nodiscard]] Next after_fill(Channel::Fill filled);
    [[nodiscard]] bool head_begun() const noexcept {
        return head_started_ && !channel_.unread().empty();
    }
    Task<bool> finish_last();
    Task<bool> finish_slowly();
    Task<bool> discard_rest();
    Task<void> linger();
    [[nodiscard]] std::chrono::milliseconds head_limit() const;
    [[nodiscard]] std::unique_ptr<http::ServerStream> make_stream(Next next);
    /// What the stream leaves behind; called by its destructor.
    void stream_ended(bool keepalive, std::uint64_t unread_body);

    Channel channel_;
    const ServerLimits& limits_;
    http::StreamFacts& facts_;
    HeadScanner scanner_;
    ServerStreamH1* stream_ = nullptr;
    Event stream_gone_;
    async::Milliseconds head_since_;
    std::uint64_t to_discard_ = 0;
    Reason refusal_ = Reason::none;
    bool keepalive_ = true;
    bool draining_ = false;
    bool must_linger_ = false;
    bool waits_for_head_ = false;
    bool blank_line_taken_ = false;  ///< before this head
    bool head_started_ = false;      ///< its first byte has come; at first, the connection is one
};

}  // namespace proxyd::codec::h1
