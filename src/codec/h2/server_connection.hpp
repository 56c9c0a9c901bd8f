#pragma once

#include "flood_guard.hpp"
#include "proxyd/codec/server_codec.hpp"
#include "server_stream.hpp"

namespace proxyd::codec::h2 {

/// HTTP/2 from a client: many streams at a time. A stream counts until its exchange is over,
/// whatever became of it on the wire: a client that resets cannot make us work on more than twice
/// what it may have open. Closes when it is idle, drained, silent or abused, with a GOAWAY.
class ServerConnection final : public ServerCodec, public Connection {
  public:
    /// `received`: what was read before.
    ServerConnection(async::Loop& loop, net::TransportPtr transport, const ServerLimits& limits,
                     http::StreamFacts& facts, std::string_view received);
    ~ServerConnection() override;

    Task<std::unique_ptr<http::ServerStream>> accept() override;
    void drain() override;
    void abort(Error why) override;

    // Called by the streams; the first two inside the session
    void head_arrived(ServerStreamH2& stream);
    void stream_closed(ServerStreamH2& stream, ErrorCode code, bool by_peer);
    void stream_gone(ServerStreamH2& stream);
    void drain_after_streams();

  private:
    // SessionOwner
    SessionStream* on_opened(std::int32_t id) override;
    bool on_frame(const FrameHead& frame) override;
    void on_frame_sent(const FrameHead& frame) override;
    void on_settings() override;
    void on_goaway(std::int32_t, ErrorCode) override {}
    void on_pong() override;
    // WireOwner
    void on_progress() override;
    void on_wire_closed() override;

    Task<std::unique_ptr<http::ServerStream>> accept_slow();
    [[nodiscard]] std::unique_ptr<http::ServerStream> take_arrived();
    [[nodiscard]] bool idle() const noexcept { return live_count_ == 0 && !has_leftovers(); }
    void arm_deadline();
    void on_deadline();
    void ping_when_silent();
    void begin_drain();
    void end_drain();
    void end_session();
    void lose_streams(const Error& why);
    void end(const Error& why, ErrorCode code);

    using Live = boost::intrusive::list<ServerStreamH2, boost::intrusive::base_hook<LiveHook>,
                                        boost::intrusive::constant_time_size<false>>;
    using Arrived = boost::intrusive::list<ServerStreamH2, boost::intrusive::base_hook<ArrivedHook>,
                                           boost::intrusive::constant_time_size<false>>;

    const ServerLimits& limits_;
    http::StreamFacts& facts_;
    FloodGuard guard_;
    Live live_;
    Arrived arrived_;
    std::size_t live_count_ = 0;
    std::size_t opening_ = 0;  ///< heads that are not complete
    std::uint64_t accepted_ = 0;
    async::Milliseconds ping_sent_ = 0;  ///< 0 = none is on its way
    Event arrival_;
    async::Deadline deadline_;
    bool greeted_ = false;  ///< the client's SETTINGS came
    bool heard_ = false;    ///< the PING of the drain was answered
    bool flooded_ = false, draining_ = false, drained_ = false, over_ = false;
};

}  // namespace proxyd::codec::h2
