#pragma once

#include <memory>

#include "output.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/base/block.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/base/lifetime.hpp"
#include "proxyd/net/transport.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// Called outside the session: may destroy the wire.
class WireOwner {
  public:
    /// After each event: whoever got something may be woken now.
    virtual void on_progress() = 0;
    /// Nothing is received or sent any more; Wire::failure() says why.
    virtual void on_wire_closed() = 0;

  protected:
    ~WireOwner() = default;
};

/// Moves bytes between a transport and a session: a standing read that holds no buffer while it
/// waits, one output that a batch of events fills and one send empties. While the kernel takes
/// nothing, the session is asked for no more than fits the output. Owned by the connection, one
/// thread.
class Wire final : private net::TransportObserver, private async::BatchMember {
  public:
    Wire(async::Loop& loop, net::TransportPtr transport, Session& session, WireOwner& owner,
         Source side);
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire();

    /// `received`: what was read of the transport before. Wakes nobody.
    void start(std::string_view received = {});
    /// What the session has to send goes to the output now and to the kernel with the end of the
    /// batch of events. Wakes nobody.
    void flush();
    /// on_progress() comes soon, from the loop.
    void wake_soon();
    /// Sends what is left, half-closes, and closes when the peer has done so too, or after a while.
    void finish();
    /// Closes at once; on_wire_closed() unless it was closed before. `hard`: with RST.
    void fail(Error why, bool hard = false);
    void set_send_limit(std::chrono::milliseconds limit) noexcept { send_limit_ = limit; }

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// The kernel takes nothing more: closed() soon.
    [[nodiscard]] bool send_failed() const noexcept { return send_error_.failed(); }
    /// Nothing is received any more.
    [[nodiscard]] bool finishing() const noexcept { return finishing_; }
    /// The session cannot go on after what it has to send.
    [[nodiscard]] bool session_over() const noexcept { return session_.over(); }
    [[nodiscard]] const Error& failure() const noexcept { return *failure_; }
    /// Whether the peer took something of what the kernel still has for it since the last call.
    [[nodiscard]] bool drains() noexcept;
    /// When the peer last sent something, or took what it had kept waiting.
    [[nodiscard]] async::Milliseconds last_sign() const noexcept { return last_sign_; }
    [[nodiscard]] net::Transport& transport() const noexcept { return *transport_; }
    [[nodiscard]] async::Loop& loop() const noexcept { return loop_; }

  private:
    std::span<char> read_room() override;
    void read_landed(std::size_t bytes) override;
    void on_read(const net::ErrorCode& error) override;
    void on_writable(const net::ErrorCode& error) override;
    void at_end_of_batch() override;

    void arm();
    bool take_input(const net::ErrorCode& error);
    void read_more();
    void after_event();
    void pump();
    bool send_now();
    void stop_sending(const net::ErrorCode& error);
    void wait_writable();
    void close(Error why, bool hard);
    void tell();
    void look();
    void half_close();

    async::Loop& loop_;
    net::TransportPtr transport_;
    Session& session_;
    WireOwner& owner_;
    Lifetime lifetime_;
    Block input_;
    std::size_t landed_ = 0, room_ = 0;
    Output out_;
    async::Milliseconds last_sign_, linger_until_ = 0;
    std::size_t untaken_ = 0;
    std::chrono::milliseconds send_limit_{0};
    std::unique_ptr<Error> failure_;
    net::ErrorCode send_error_;                       ///< set: what was said before is still read
    std::unique_ptr<async::Deadline> send_deadline_;  ///< while the kernel takes nothing
    async::Deadline look_;
    Source side_;
    bool armed_ = false, closed_ = false, told_ = false, inside_ = false, blocked_ = false;
    bool more_to_read_ = false, finishing_ = false, half_closed_ = false;
    bool wake_wanted_ = false, writable_wanted_ = false;
};

}  // namespace proxyd::codec::h2
