#include "client_connection.hpp"

#include "client_stream.hpp"

namespace proxyd::codec::h2 {
namespace {

using std::chrono::milliseconds;

/// What an answer may be ahead of whoever reads it, for each stream.
constexpr std::uint32_t kStreamWindow = 256 * 1024;
/// Opens again on receipt: what may be on its way at one time.
constexpr std::uint32_t kConnectionWindow = 4 * 1024 * 1024;
/// Whatever a peer allows: what is lost with a connection is bounded.
constexpr std::size_t kMostStreams = 256;
/// A connection that was silent for that long may be dead without anybody's word.
constexpr async::Milliseconds kSilent = 10'000;
constexpr milliseconds kSignOfLife{5'000};

}  // namespace

ClientConnection::ClientConnection(async::Loop& loop, net::TransportPtr transport,
                                   ClientObserver& observer, http::Scheme scheme)
    : Connection(loop, std::move(transport), Session::Side::client, Source::upstream),
      observer_(observer),
      guard_(0, loop.now()),
      timer_(
          loop.wheel(), [](void* self) { static_cast<ClientConnection*>(self)->on_timer(); }, this),
      taken_at_most_(kMostStreams),
      scheme_(scheme) {
    Session::Settings settings;
    settings.stream_window = kStreamWindow;
    settings.connection_window = kConnectionWindow;
    session().start(settings);
    wire().start();
}

/// The peer is told that nothing more will come.
ClientConnection::~ClientConnection() {
    if (wire().closed() || wire().session_over()) return;
    session().go_away(ErrorCode::no_error);
    wire().flush();
}

bool ClientConnection::usable() const noexcept {
    return !leaving_ && !wire().closed() && !wire().send_failed() && !wire().session_over() &&
           session().may_open();
}

std::size_t ClientConnection::most() const noexcept {
    return std::min<std::size_t>(session().peer_max_streams(), taken_at_most_);
}

std::size_t ClientConnection::room() const noexcept {
    if (!usable()) return 0;
    const std::size_t most = settled_ ? this->most() : 1;
    return most > open_ ? most - open_ : 0;
}

std::size_t ClientConnection::capacity() const noexcept {
    return settled_ ? most() : 0;
}

bool ClientConnection::quiet() const noexcept {
    return usable() && !wire().transport().left();
}

std::unique_ptr<http::ClientStream> ClientConnection::open(const ClientLimits& limits) {
    if (open_++ == 0) timer_.disarm();
    if (loop().now() - wire().last_sign() > kSilent && asked_for_life_ == 0) look_for_life();
    guard_.sent_data();  // a request is worth as much
    auto stream = std::make_unique<ClientStream>(*this, limits, exchanges_++ != 0);
    streams_.push_back(*stream);
    return stream;
}

void ClientConnection::stream_gone() {
    const bool full = room() == 0;
    --open_;
    if (open_ == 0) {
        if (!usable()) return observer_.on_closed(*this);
        asked_for_life_ = 0;
        timer_.arm(idle_limit_);
        return observer_.on_idle(*this);
    }
    if (full && room() != 0) observer_.on_room(*this);
}

void ClientConnection::refused() noexcept {
    taken_at_most_ = std::min(taken_at_most_, open_ - 1);
    if (taken_at_most_ == 0) leaving_ = true;
}

// What happens inside the session ---------------------------------------------------------------

bool ClientConnection::on_frame(const FrameHead& frame) {
    // Resets are of our requests' making, and so no flood.
    return frame.type == FrameType::rst_stream || guard_.take(frame, loop().now());
}

void ClientConnection::on_frame_sent(const FrameHead& frame) {
    if (frame.type == FrameType::data && says_something(session(), frame)) guard_.sent_data();
    // We say it where the peer broke a rule, and nothing that comes after it will be read.
    if (frame.type == FrameType::goaway) wire().wake_soon();
}

void ClientConnection::on_settings() {
    settled_ = room_untold_ = true;
    for (ClientHook& hook : streams_) static_cast<ClientStream&>(hook).connection_settled();
}

void ClientConnection::on_goaway(std::int32_t, ErrorCode) {
    leaving_ = true;
    for (ClientHook& hook : streams_) static_cast<ClientStream&>(hook).connection_leaves();
}

// Outside it ------------------------------------------------------------------------------------

void ClientConnection::on_progress() {
    const Lifetime::Watch here(lifetime_);
    wake_streams();
    if (here.ended()) return;
    if (wire().session_over() || session().goaway_sent() != ErrorCode::no_error) {
        return end_session();
    }
    if (open_ == 0 && !usable()) return observer_.on_closed(*this);
    if (std::exchange(room_untold_, false)) observer_.on_room(*this);
}

/// The server broke the rules, or has said its last.
void ClientConnection::end_session() {
    wire().flush();  // what we tell it of that
    const ErrorCode code = session().goaway_sent();
    if (code == ErrorCode::no_error && session().problem().empty()) {
        return wire().fail(Error(Reason::upstream_closed, Source::upstream, Retry::only_if_reused,
                                 "the server ended the connection"));
    }
    std::string text(name_of(code));
    if (!session().problem().empty()) text.append(": ").append(session().problem());
    wire().fail(Error(Reason::upstream_bad_response, Source::upstream, Retry::no, std::move(text)));
}

void ClientConnection::on_wire_closed() {
    if (open_ == 0) return observer_.on_closed(*this);
    for (ClientHook& hook : streams_) {
        static_cast<ClientStream&>(hook).connection_lost(wire().failure());
    }
    wake_streams();
}

void ClientConnection::look_for_life() {
    asked_for_life_ = loop().now();
    session().ping();
    timer_.arm(kSignOfLife);
}

void ClientConnection::on_timer() {
    if (open_ == 0) return observer_.on_closed(*this);
    const async::Milliseconds asked = std::exchange(asked_for_life_, 0);
    if (asked == 0 || wire().last_sign() > asked) return;
    wire().fail(Error(Reason::upstream_closed, Source::upstream, Retry::only_if_reused,
                      "a connection that had been silent did not answer a ping"));
}

}  // namespace proxyd::codec::h2

namespace proxyd::codec {

std::unique_ptr<ClientCodec> make_h2_client(async::Loop& loop, net::TransportPtr transport,
                                            ClientObserver& observer, http::Scheme scheme) {
    return std::make_unique<h2::ClientConnection>(loop, std::move(transport), observer, scheme);
}

}  // namespace proxyd::codec
