#include "server_connection.hpp"

#include <algorithm>

#include "codec/connection_log.hpp"
#include "codec/header_time.hpp"

namespace proxyd::codec::h2 {
namespace {

using std::chrono::milliseconds;

/// What a client may send on one stream before anybody reads it.
constexpr std::uint32_t kStreamWindow = 128 * 1024;
constexpr std::uint32_t kConnectionWindow = 2 * 1024 * 1024;
/// What each field costs beside its text, as clients count (RFC 9113 6.5.2).
constexpr std::uint32_t kFieldOverhead = 32;
/// Exchanges that go on behind a reset, as a multiple of max_concurrent_streams.
constexpr std::size_t kMostLive = 2;
/// A request may be on its way when the drain begins: so long it still gets its answer.
constexpr milliseconds kDrainGrace{500};
/// The client's codec has heard of it; whoever uses the codec may still begin a request.
constexpr milliseconds kHeardGrace{100};
/// While streams are open, a client that says nothing for so long is asked whether it is there.
constexpr milliseconds kPingAfter{30'000};
constexpr milliseconds kPongWithin{15'000};

}  // namespace

ServerConnection::ServerConnection(async::Loop& loop, net::TransportPtr transport,
                                   const ServerLimits& limits, http::StreamFacts& facts,
                                   std::string_view received)
    : Connection(loop, std::move(transport), Session::Side::server, Source::downstream),
      limits_(limits),
      facts_(facts),
      guard_(limits.max_resets_per_minute, loop.now()),
      deadline_(
          loop.wheel(), [](void* self) { static_cast<ServerConnection*>(self)->on_deadline(); },
          this) {
    Session::Settings settings;
    settings.max_concurrent_streams = limits.max_concurrent_streams;
    settings.stream_window = kStreamWindow;
    settings.connection_window = kConnectionWindow;
    settings.max_header_list = static_cast<std::uint32_t>(limits.max_header_size) +
                               kFieldOverhead * static_cast<std::uint32_t>(limits.max_headers);
    session().start(settings);
    wire().set_send_limit(limits.send_timeout);
    arm_deadline();
    wire().start(received);
}

ServerConnection::~ServerConnection() {
    live_.remove_and_dispose_if([](const ServerStreamH2& stream) { return !stream.handed_out_; },
                                [](ServerStreamH2* stream) {
                                    stream->closed_by_connection();
                                    delete stream;
                                });
}

// Exchanges -----------------------------------------------------------------------------------

Task<std::unique_ptr<http::ServerStream>> ServerConnection::accept() {
    using Next = Task<std::unique_ptr<http::ServerStream>>;
    if (!arrived_.empty()) return Next(take_arrived());
    if (over_) return Next(std::unique_ptr<http::ServerStream>{});
    return accept_slow();
}

Task<std::unique_ptr<http::ServerStream>> ServerConnection::accept_slow() {
    while (arrived_.empty() && !over_) {
        arrival_.clear();
        co_await arrival_.wait();
    }
    if (arrived_.empty()) co_return nullptr;
    co_return take_arrived();
}

std::unique_ptr<http::ServerStream> ServerConnection::take_arrived() {
    ServerStreamH2& stream = arrived_.front();
    arrived_.pop_front();
    stream.handed_out_ = true;
    stream.broke_unseen_ = stream.failed();
    facts_.requests_before = accepted_++;
    const bool keepalive = limits_.keepalive_timeout.count() != 0;
    if (accepted_ >= limits_.keepalive_requests || !keepalive) drain_after_streams();
    return std::unique_ptr<http::ServerStream>(&stream);
}

SessionStream* ServerConnection::on_opened(std::int32_t) {
    if (live_count_ >= kMostLive * limits_.max_concurrent_streams) {
        flooded_ = flooded_ || !guard_.take_reset(loop().now());
        return nullptr;
    }
    auto* const stream = new ServerStreamH2(*this, limits_, facts_);
    live_.push_back(*stream);
    ++live_count_;
    if (opening_++ == 0) arm_deadline();
    return stream;
}

void ServerConnection::head_arrived(ServerStreamH2& stream) {
    arrived_.push_back(stream);
    if (--opening_ == 0) arm_deadline();
    wire().wake_soon();
}

void ServerConnection::stream_closed(ServerStreamH2& stream, ErrorCode code, bool by_peer) {
    if ((by_peer || code != ErrorCode::no_error) && !stream.was_cut()) {
        flooded_ = flooded_ || !guard_.take_reset(loop().now());
        if (flooded_) wire().wake_soon();
    }
    if (stream.handed_out_ || stream.complete()) return;
    if (--opening_ == 0) arm_deadline();
    delete &stream;
}

void ServerConnection::stream_gone(ServerStreamH2&) {
    if (--live_count_ != 0) return;
    arm_deadline();
    if (drained_) wire().wake_soon();
}

// Frames --------------------------------------------------------------------------------------

bool ServerConnection::on_frame(const FrameHead& frame) {
    if (guard_.take(frame, loop().now())) return true;
    flooded_ = true;
    return false;
}

void ServerConnection::on_frame_sent(const FrameHead& frame) {
    if (frame.type == FrameType::data && says_something(session(), frame)) guard_.sent_data();
}

void ServerConnection::on_settings() {
    if (std::exchange(greeted_, true)) return;
    arm_deadline();
}

void ServerConnection::on_pong() {
    if (draining_ && !drained_ && !std::exchange(heard_, true)) deadline_.arm(kHeardGrace);
}

void ServerConnection::on_progress() {
    const Lifetime::Watch here(lifetime_);
    if (!wire().finishing() && (wire().session_over() || flooded_)) end_session();
    if (arrival_.waiting() && (!arrived_.empty() || over_)) {
        arrival_.set();
        if (here.ended()) return;
    }
    wake_streams();
    if (here.ended()) return;
    if (drained_ && idle()) wire().finish();
}

// The end -------------------------------------------------------------------------------------

/// The client broke the rules, or everything is said.
void ServerConnection::end_session() {
    if (flooded_) {
        const std::string_view why =
            guard_.verdict().empty() ? std::string_view(session().problem()) : guard_.verdict();
        return end(Error(Reason::http2_flood, Source::downstream, Retry::no, std::string(why)),
                   ErrorCode::enhance_your_calm);
    }
    const ErrorCode code = session().goaway_sent();
    if (code == ErrorCode::no_error) return wire().finish();
    const bool flood = code == ErrorCode::enhance_your_calm;
    std::string text(name_of(code));
    if (!session().problem().empty()) text.append(": ").append(session().problem());
    end(Error(flood ? Reason::http2_flood : Reason::http2_protocol_error, Source::downstream,
              Retry::no, std::move(text)),
        code);
}

void ServerConnection::end(const Error& why, ErrorCode code) {
    log_connection_error(loop(), facts_, why);
    session().terminate(code);
    lose_streams(why);
    wire().finish();
}

void ServerConnection::lose_streams(const Error& why) {
    for (ServerStreamH2& stream : live_) stream.lose(why);
}

void ServerConnection::on_wire_closed() {
    over_ = true;
    deadline_.disarm();
    const Lifetime::Watch here(lifetime_);
    arrived_.clear();  // still in live_: they end with us
    lose_streams(wire().failure());
    wake_streams();
    if (!here.ended() && arrival_.waiting()) arrival_.set();
}

void ServerConnection::abort(Error why) {
    if (!wire().finishing()) {
        session().go_away(ErrorCode::no_error);
        wire().flush();
    }
    wire().fail(std::move(why));
}

void ServerConnection::drain() {
    begin_drain();
    wire().flush();
}

void ServerConnection::drain_after_streams() {
    begin_drain();
    wire().wake_soon();
}

/// RFC 9113 6.8: what is on its way when the client hears of it is still served.
void ServerConnection::begin_drain() {
    if (draining_ || wire().closed()) return;
    draining_ = true;
    session().announce_end();
    wire().flush();  // a PING would overtake it
    session().ping();
    deadline_.arm(kDrainGrace);
}

void ServerConnection::end_drain() {
    drained_ = true;
    session().go_away(ErrorCode::no_error);
    arm_deadline();
}

// Time ----------------------------------------------------------------------------------------

void ServerConnection::arm_deadline() {
    if (draining_ && !drained_) return;  // its grace runs
    const bool none_complete = accepted_ == 0 && live_count_ == opening_;
    if (!greeted_ || none_complete) {
        return deadline_.arm(header_time_left(loop(), limits_, facts_));
    }
    if (opening_ != 0) return deadline_.arm(limits_.header_timeout);
    deadline_.arm(live_count_ == 0 ? limits_.keepalive_timeout : kPingAfter);
}

void ServerConnection::on_deadline() {
    if (over_ || wire().finishing()) return;
    if (draining_ && !drained_) {
        end_drain();
        wire().flush();
        return wire().wake_soon();
    }
    if (!greeted_ || opening_ != 0) {
        return end(Error(Reason::client_timeout_header, Source::downstream, Retry::no,
                         greeted_ ? "a head was not complete in time" : "no SETTINGS in time"),
                   ErrorCode::no_error);
    }
    if (!idle()) return ping_when_silent();
    session().go_away(ErrorCode::no_error);
    wire().finish();
}

void ServerConnection::ping_when_silent() {
    const async::Milliseconds now = loop().now();
    const async::Milliseconds silent = now - wire().last_sign();
    if (silent < kPingAfter.count()) {
        ping_sent_ = 0;
        return deadline_.arm(kPingAfter - milliseconds(silent));
    }
    if (ping_sent_ > wire().last_sign()) {
        // The PING waits behind what a slow reader has yet to take.
        if (wire().drains()) return deadline_.arm(kPongWithin);
        return wire().fail(Error(Reason::client_closed, Source::downstream, Retry::no,
                                 "the client does not answer"));
    }
    ping_sent_ = now;
    session().ping();
    wire().flush();
    (void)wire().drains();
    deadline_.arm(kPongWithin);
}

}  // namespace proxyd::codec::h2

namespace proxyd::codec {

std::unique_ptr<ServerCodec> make_h2_server(async::Loop& loop, net::TransportPtr transport,
                                            const ServerLimits& limits, http::StreamFacts& facts) {
    return std::make_unique<h2::ServerConnection>(loop, std::move(transport), limits, facts,
                                                  std::string_view{});
}

}  // namespace proxyd::codec
