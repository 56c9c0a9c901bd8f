#pragma once

#include "connection.hpp"
#include "flood_guard.hpp"
#include "proxyd/codec/client_codec.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::codec::h2 {

class ClientStream;
struct ClientTag;
/// Of a ClientStream, in the list of its connection.
using ClientHook = boost::intrusive::list_base_hook<AutoUnlink, boost::intrusive::tag<ClientTag>>;

/// HTTP/2 towards a peer: many streams at one time. Takes no new ones once the peer said GOAWAY or
/// broke a rule; ends with its last stream then. A connection that was silent for a while is asked
/// for a sign of life with the next request.
class ClientConnection final : public ClientCodec, public Connection {
  public:
    ClientConnection(async::Loop& loop, net::TransportPtr transport, ClientObserver& observer,
                     http::Scheme scheme);
    ~ClientConnection() override;

    std::unique_ptr<http::ClientStream> open(const ClientLimits& limits) override;
    [[nodiscard]] std::size_t room() const noexcept override;
    [[nodiscard]] std::size_t capacity() const noexcept override;
    void set_idle_limit(std::chrono::milliseconds limit) override { idle_limit_ = limit; }
    [[nodiscard]] bool quiet() const noexcept override;
    [[nodiscard]] std::uint64_t exchanges() const noexcept override { return exchanges_; }

    /// What the peer allows is known.
    [[nodiscard]] bool settled() const noexcept { return settled_; }
    [[nodiscard]] http::Scheme scheme() const noexcept { return scheme_; }
    /// A stream was refused while others ran: so many are what the peer takes.
    void refused() noexcept;
    /// Last action of a stream's destructor: may destroy the connection.
    void stream_gone();

  private:
    SessionStream* on_opened(std::int32_t) override { return nullptr; }
    bool on_frame(const FrameHead& frame) override;
    void on_frame_sent(const FrameHead& frame) override;
    void on_settings() override;
    void on_goaway(std::int32_t last, ErrorCode code) override;
    void on_pong() override {}
    void on_progress() override;
    void on_wire_closed() override;

    [[nodiscard]] bool usable() const noexcept;
    [[nodiscard]] std::size_t most() const noexcept;
    void end_session();
    void on_timer();
    void look_for_life();

    using Streams = boost::intrusive::list<ClientHook, boost::intrusive::base_hook<ClientHook>,
                                           boost::intrusive::constant_time_size<false>>;
    ClientObserver& observer_;
    Streams streams_;
    FloodGuard guard_;
    async::Deadline timer_;  ///< idle: the idle limit; otherwise: of a sign of life
    std::chrono::milliseconds idle_limit_{0};
    async::Milliseconds asked_for_life_ = 0;  ///< when; 0: not
    std::uint64_t exchanges_ = 0;
    std::size_t open_ = 0;
    std::size_t taken_at_most_;  ///< as refused() taught
    http::Scheme scheme_;
    bool settled_ = false;  ///< the peer's SETTINGS are here
    bool leaving_ = false;  ///< it takes no new streams
    bool room_untold_ = false;
};

}  // namespace proxyd::codec::h2
