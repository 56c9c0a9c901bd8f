#include "wire.hpp"

#include <boost/asio/error.hpp>

#include "codec/connection_error.hpp"

namespace proxyd::codec::h2 {
namespace {

using std::chrono::milliseconds;

/// A record of TLS, or many small frames.
constexpr std::size_t kBlock = 16 * 1024;
/// Once a read filled that.
constexpr std::size_t kBulkBlock = 64 * 1024;
/// What the session may put into the output before the kernel takes some of it: four full records
/// of TLS with their frames.
constexpr std::size_t kMostOutput = 64 * 1024;
/// So many frames may wait while the peer reads nothing before nothing is read of it either.
constexpr std::size_t kMostQueuedFrames = 1024;
/// After so many reads at once the others get their turn.
constexpr unsigned kMostReads = 8;
/// An end that came together with the last bytes raises no event of its own: so long after them it
/// is looked for.
constexpr milliseconds kLookAfter{250};
constexpr milliseconds kSoon{1};
/// How long the peer may take to close its side behind our last bytes, so that a reset does not
/// overtake them.
constexpr milliseconds kLingerFor{2000};
/// While those bytes are on their way, that time begins anew, up to here.
constexpr milliseconds kLingerMost{60'000};

}  // namespace

Wire::Wire(async::Loop& loop, net::TransportPtr transport, Session& session, WireOwner& owner,
           Source side)
    : loop_(loop),
      transport_(std::move(transport)),
      session_(session),
      owner_(owner),
      last_sign_(loop.now()),
      look_(
          loop.wheel(), [](void* self) { static_cast<Wire*>(self)->look(); }, this),
      side_(side) {
    transport_->observe(this);
}

Wire::~Wire() {
    if (!closed_ && !out_.empty()) (void)send_now();
    transport_->observe(nullptr);
    transport_->close();
}

void Wire::start(std::string_view received) {
    if (!received.empty()) {
        session_.receive(received);
        more_to_read_ = true;  // what filled the reader's room raises no further event
        wake_soon();
    }
    arm();
    flush();
}

// Input --------------------------------------------------------------------------------------

void Wire::arm() {
    if (armed_ || closed_ || more_to_read_) return;
    armed_ = true;
    transport_->start_read();
}

std::span<char> Wire::read_room() {
    if (!input_) input_ = Block(kBlock);
    room_ = input_.size();
    return {input_.data(), room_};
}

void Wire::read_landed(std::size_t bytes) {
    landed_ = bytes;
    if (bytes == 0) input_.release();
}

void Wire::on_read(const net::ErrorCode& error) {
    async::Batch& batch = loop_.batch();
    armed_ = false;
    const Lifetime::Watch here(lifetime_);
    if (take_input(error) && landed_ == room_) read_more();
    input_.release();
    after_event();
    if (!here.ended()) arm();
    batch.event_done();
}

/// False: there is no more to come.
bool Wire::take_input(const net::ErrorCode& error) {
    if (closed_) return false;
    if (error) {
        close(connection_error(error, side_), false);
        return false;
    }
    last_sign_ = loop_.now();
    if (!half_closed_) look_.arm(kLookAfter);
    if (finishing_ || session_.over()) return true;  // thrown away
    session_.receive({input_.data(), landed_});
    return true;
}

/// The kernel raises an event for what comes after a read that took all there was, and only then.
void Wire::read_more() {
    more_to_read_ = true;
    if (input_.size() < kBulkBlock) input_ = Block(kBulkBlock);
    for (unsigned reads = 0; reads < kMostReads; ++reads) {
        if (session_.queued_frames() > kMostQueuedFrames) break;
        const net::SendResult got = transport_->read_now(input_.data(), input_.size());
        const bool none = got.bytes == 0 && (got.error == boost::asio::error::would_block ||
                                             got.error == boost::asio::error::interrupted);
        if (none) {
            more_to_read_ = false;
            return;
        }
        landed_ = got.bytes;
        if (!take_input(got.bytes == 0 ? got.error : net::ErrorCode())) return;
        if (got.bytes < input_.size()) {
            more_to_read_ = false;
            return;
        }
    }
    wake_soon();
}

/// Whether the peer has left without an event of its own; or what was put off is due.
void Wire::look() {
    if (closed_) return tell();
    if (half_closed_ && loop_.now() < linger_until_ && drains()) return look_.arm(kLingerFor);
    if (half_closed_) return fail(Error(Reason::client_closed, side_));
    if (send_error_) return fail(connection_error(send_error_, side_));
    if (const net::ErrorCode error = transport_->left()) fail(connection_error(error, side_));
}

// Output -------------------------------------------------------------------------------------

void Wire::flush() {
    if (closed_ || half_closed_) return;
    pump();
    if (out_.empty() || blocked_ || inside_ || is_linked()) return;
    if (loop_.batch().collect(*this)) return;
    (void)send_now();
}

void Wire::at_end_of_batch() {
    if (!closed_ && !blocked_ && send_now()) pump();
    after_event();
}

/// Until the session has nothing more, or the kernel takes nothing more.
void Wire::pump() {
    while (!send_error_) {
        session_.produce(out_, kMostOutput);
        if (out_.size() < kMostOutput || blocked_ || !send_now()) return;
    }
}

/// False: the transport is blocked or broken.
bool Wire::send_now() {
    if (out_.empty()) return true;
    const std::string_view bytes = out_.view();
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const net::SendResult result = transport_->send({&piece, 1});
    if (result.error) {
        stop_sending(result.error);
        return false;
    }
    out_.consume(result.bytes);
    if (out_.empty()) {
        send_deadline_.reset();
        return true;
    }
    blocked_ = true;
    if (result.bytes != 0 || !send_deadline_) {
        if (!send_deadline_) {
            const auto late = [](void* self) {
                auto& wire = *static_cast<Wire*>(self);
                const bool client = wire.side_ == Source::downstream;
                wire.fail(
                    Error(client ? Reason::client_timeout_send : Reason::upstream_timeout_send,
                          wire.side_),
                    true);
            };
            send_deadline_ = std::make_unique<async::Deadline>(loop_.wheel(), late, this);
        }
        send_deadline_->arm(send_limit_);
    }
    wait_writable();
    return false;
}

/// What a server said before it closed may tell which requests it never took: that is read first.
void Wire::stop_sending(const net::ErrorCode& error) {
    if (side_ == Source::downstream) return close(connection_error(error, side_), false);
    send_error_ = error;
    out_.clear();
    send_deadline_.reset();
    look_.arm(kLookAfter);
}

/// One at a time.
void Wire::wait_writable() {
    if (!std::exchange(writable_wanted_, true)) transport_->wait_write();
}

void Wire::on_writable(const net::ErrorCode& error) {
    if (blocked_) last_sign_ = loop_.now();
    blocked_ = writable_wanted_ = false;
    const Lifetime::Watch here(lifetime_);
    if (error && !closed_) close(connection_error(error, side_), false);
    if (!closed_ && send_now()) pump();
    if (!closed_ && more_to_read_) {
        read_more();
        input_.release();
    }
    after_event();
    if (!here.ended()) arm();
}

void Wire::wake_soon() {
    wake_wanted_ = true;
    if (!inside_ && !closed_) wait_writable();
}

/// Everybody who got something is woken, and what they said is sent. May destroy the wire.
void Wire::after_event() {
    if (closed_) return tell();
    const Lifetime::Watch here(lifetime_);
    inside_ = true;
    do {
        wake_wanted_ = false;
        if (!closed_) pump();  // what came may be answered, or the end of it all
        owner_.on_progress();
        if (here.ended()) return;
        if (!closed_) pump();
    } while (wake_wanted_ && !closed_);
    inside_ = false;
    if (closed_) return tell();
    if (!out_.empty() && !blocked_ && !is_linked() && !loop_.batch().collect(*this)) {
        if (send_now()) pump();
    }
    if (closed_) return tell();
    if (finishing_ && out_.empty()) half_close();
}

// The end ------------------------------------------------------------------------------------

void Wire::finish() {
    if (closed_ || finishing_) return;
    finishing_ = true;
    flush();
    if (!closed_ && !inside_ && !blocked_ && send_now()) half_close();
}

void Wire::half_close() {
    if (half_closed_) return;
    half_closed_ = true;
    transport_->shutdown_send();
    linger_until_ = loop_.now() + kLingerMost.count();
    (void)drains();
    look_.arm(kLingerFor);
}

bool Wire::drains() noexcept {
    const std::size_t before = std::exchange(untaken_, transport_->untaken());
    return untaken_ != 0 && untaken_ < before;
}

void Wire::close(Error why, bool hard) {
    if (closed_) return;
    closed_ = true;
    failure_ = std::make_unique<Error>(std::move(why));
    out_.clear();
    send_deadline_.reset();
    if (hard) {
        transport_->abort();
    } else {
        transport_->close();
    }
    // Whoever broke the connection may be amid something: the others hear of it from the loop.
    look_.arm(kSoon);
}

void Wire::tell() {
    if (std::exchange(told_, true)) return;
    look_.disarm();
    owner_.on_wire_closed();
}

void Wire::fail(Error why, bool hard) {
    if (closed_) return;
    if (!hard && !blocked_ && !out_.empty() && !half_closed_) (void)send_now();
    close(std::move(why), hard);
    if (!inside_) tell();
}

}  // namespace proxyd::codec::h2
