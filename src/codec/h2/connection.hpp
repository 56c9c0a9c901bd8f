#pragma once

#include <boost/intrusive/list.hpp>

#include "outflow.hpp"
#include "proxyd/base/lifetime.hpp"
#include "session.hpp"
#include "wire.hpp"

namespace proxyd::codec::h2 {

class Connection;
class Stream;

using AutoUnlink = boost::intrusive::link_mode<boost::intrusive::auto_unlink>;
struct WakeTag;
/// A stream that got something in the event at hand.
using WakeHook = boost::intrusive::list_base_hook<AutoUnlink, boost::intrusive::tag<WakeTag>>;

/// What is left to send of a stream whose user is done with it.
class Leftover final : public SessionStream,
                       public boost::intrusive::list_base_hook<AutoUnlink>,
                       public Pooled {
  public:
    Leftover(Connection& connection, Outflow rest, bool input_ended,
             std::chrono::milliseconds limit);

    ErrorCode on_field(std::string_view, std::string_view) override { return ErrorCode::no_error; }
    ErrorCode on_fields_end(bool) override { return ErrorCode::no_error; }
    void on_data(std::string_view data) override;
    void on_end() override { input_ended_ = true; }
    void on_closed(ErrorCode, bool) override { delete this; }
    Supply supply(std::size_t max) override { return rest_.supply(max); }
    void take(char* into, std::size_t bytes) override;
    void on_frame_sent(bool data, std::size_t bytes, bool end) override;

  private:
    Connection& connection_;
    Outflow rest_;
    async::Deadline late_;
    std::chrono::milliseconds limit_;
    bool input_ended_;
};

/// A session on a wire, and its streams: what both sides of HTTP/2 share.
class Connection : protected SessionOwner, protected WireOwner {
  public:
    Connection(async::Loop& loop, net::TransportPtr transport, Session::Side side, Source source);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] Session& session() noexcept { return session_; }
    [[nodiscard]] Wire& wire() noexcept { return wire_; }
    [[nodiscard]] const Session& session() const noexcept { return session_; }
    [[nodiscard]] const Wire& wire() const noexcept { return wire_; }
    [[nodiscard]] async::Loop& loop() noexcept { return wire_.loop(); }
    /// Its waiters hear of what came when the event at hand is over.
    void wake_later(Stream& stream);
    /// Sends on what `stream` leaves behind.
    void inherit(SessionStream& stream, Outflow rest, bool input_ended,
                 std::chrono::milliseconds limit);

  protected:
    ~Connection();
    /// May destroy the connection.
    void wake_streams();
    [[nodiscard]] bool has_leftovers() const noexcept { return !leftovers_.empty(); }

    Lifetime lifetime_;

  private:
    using Leftovers = boost::intrusive::list<Leftover, boost::intrusive::constant_time_size<false>>;

    Session session_;
    Wire wire_;
    boost::intrusive::list<WakeHook, boost::intrusive::base_hook<WakeHook>,
                           boost::intrusive::constant_time_size<false>>
        waking_;
    Leftovers leftovers_;
};

}  // namespace proxyd::codec::h2
