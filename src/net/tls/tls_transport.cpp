#include "tls_transport.hpp"

#include <openssl/err.h>

#include <array>
#include <boost/asio/error.hpp>

#include "tls_error.hpp"

namespace proxyd::net::tls {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
/// What one send below takes at most: seven full records, so that the block is one of 128 KiB.
constexpr std::size_t kBatch = 7 * kRecord;
constexpr std::size_t kOverhead = 7 * 256;
/// A peer that asks for answers of TLS itself (key updates) and reads none of them gets no more.
constexpr std::size_t kMostQueued = 256 * 1024;
/// For one record and the start of the next.
constexpr std::size_t kReadRoom = 32 * 1024;

bool is_nothing_yet(const ErrorCode& error) noexcept {
    return error == asio::error::would_block || error == asio::error::interrupted;
}

/// An end of the transport below that TLS did not announce is no orderly one.
ErrorCode unannounced(const ErrorCode& error) noexcept {
    return error == asio::error::eof ? truncated() : error;
}

std::size_t total_of(std::span<const iovec> pieces) noexcept {
    std::size_t total = 0;
    for (const iovec& piece : pieces) total += piece.iov_len;
    return total;
}

/// The next bytes to encrypt: a view of a piece, or several small ones gathered in `scratch`.
std::string_view next_plain(std::span<const iovec> pieces, std::size_t skip,
                            std::span<char> scratch) {
    std::size_t gathered = 0;
    for (const iovec& piece : pieces) {
        if (skip >= piece.iov_len) {
            skip -= piece.iov_len;
            continue;
        }
        const std::string_view rest(static_cast<const char*>(piece.iov_base) + skip,
                                    piece.iov_len - skip);
        skip = 0;
        const bool last = &piece == &pieces.back();
        if (gathered == 0 && (last || rest.size() >= scratch.size())) {
            return rest.substr(0, scratch.size());
        }
        const std::size_t part = std::min(rest.size(), scratch.size() - gathered);
        std::memcpy(scratch.data() + gathered, rest.data(), part);
        gathered += part;
        if (gathered == scratch.size()) break;
    }
    return {scratch.data(), gathered};
}

}  // namespace

// OpenSSL's view of the network ----------------------------------------------------------------

BIO_METHOD* TlsTransport::bio_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
        BIO_meth_set_read(made, &TlsTransport::bio_read);
        BIO_meth_set_write(made, &TlsTransport::bio_write);
        BIO_meth_set_ctrl(made, &TlsTransport::bio_control);
        return made;
    }();
    return method;
}

/// One for all transports of the thread: it works for the one that calls OpenSSL.
BIO* TlsTransport::shared_bio() {
    thread_local const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(bio_method()),
                                                                     &BIO_free);
    BIO_set_init(bio.get(), 1);
    return bio.get();
}

SSL* TlsTransport::at_work() noexcept {
    BIO_set_data(SSL_get_rbio(ssl_.get()), this);
    ERR_clear_error();
    return ssl_.get();
}

int TlsTransport::bio_read(BIO* bio, char* into, int size) {
    auto& in = static_cast<TlsTransport*>(BIO_get_data(bio))->in_;
    BIO_clear_retry_flags(bio);
    if (in.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const std::size_t part = std::min(in.size(), static_cast<std::size_t>(size));
    std::memcpy(into, in.data(), part);
    in.consume(part);
    return static_cast<int>(part);
}

int TlsTransport::bio_write(BIO* bio, const char* bytes, int size) {
    auto& out = static_cast<TlsTransport*>(BIO_get_data(bio))->out_;
    BIO_clear_retry_flags(bio);
    if (out.size() > kMostQueued) {
        BIO_set_retry_write(bio);
        return -1;
    }
    out.append({bytes, static_cast<std::size_t>(size)});
    return size;
}

long TlsTransport::bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsTransport::TlsTransport(async::Loop& loop, TransportPtr below, SslPtr ssl)
    : loop_(loop), below_(std::move(below)), ssl_(std::move(ssl)) {
    BIO* const bio = shared_bio();
    BIO_up_ref(bio);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    below_->observe(this);
}

TlsTransport::~TlsTransport() {
    if (closed_) return;
    let_go();
    below_->close();
}

/// OpenSSL calls `result` no success.
void TlsTransport::note_failure(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return;
        case SSL_ERROR_ZERO_RETURN:
            end_ = asio::error::eof;
            return;
        default:
            broken_ = true;
            end_ = take_error();
    }
}

// Handshake ------------------------------------------------------------------------------------

void HandshakeListener::on_handshake_input(TlsTransport& transport) {
    transport.go_on();
}

void TlsTransport::handshake(HandshakeListener& listener) {
    listener_ = &listener;
    handshaking_ = true;
    go_on();
}

void TlsTransport::await_handshake(HandshakeListener& listener) {
    listener_ = &listener;
    handshaking_ = true;
    wait_for_bytes();
}

void TlsTransport::go_on() {
    while (handshaking_ && !closed_) {
        const int result = SSL_do_handshake(at_work());
        if (result != 1) note_failure(result);
        std::size_t sent = 0;
        const ErrorCode unsent = flush(sent);  // an alert says more than what broke after it
        if (!unsent && !out_.empty()) wait_for_room();
        if (result == 1) return finish_handshake(unsent);
        if (end_) return finish_handshake(end_);
        if (unsent) return finish_handshake(unsent);
        if (pull()) continue;
        if (below_ended_) {
            return finish_handshake(unannounced(below_ended_));
        }
        return wait_for_bytes();
    }
}

void TlsTransport::finish_handshake(const ErrorCode& error) {
    handshaking_ = false;
    more_below_ = true;  // what came with the last bytes raises no event of its own
    if (error) broken_ = true;
    if (HandshakeListener* const listener = std::exchange(listener_, nullptr)) {
        listener->on_handshake(error);
    }
}

// Input ----------------------------------------------------------------------------------------

std::span<char> TlsTransport::read_room() {
    const std::span<char> room = in_.room(kReadRoom);
    in_room_ = static_cast<std::uint32_t>(room.size());
    return room;
}

void TlsTransport::read_landed(std::size_t bytes) {
    in_.landed(bytes);
    more_below_ = bytes == in_room_;
}

void TlsTransport::on_read(const ErrorCode& error) {
    const Self self(this);
    below_armed_ = false;
    if (closed_) return;
    if (error) below_ended_ = error;
    if (handshaking_) {
        if (listener_ != nullptr) listener_->on_handshake_input(*this);
        return;
    }
    if (armed_) deliver();
}

/// Reads once more without waiting; false when there was nothing.
bool TlsTransport::pull() {
    if (below_ended_ || clogged()) return false;
    const std::span<char> room = read_room();
    const SendResult got = below_->read_now(room.data(), room.size());
    read_landed(got.bytes);
    if (got.bytes != 0) return true;
    if (!is_nothing_yet(got.error)) below_ended_ = got.error;
    return false;
}

std::size_t TlsTransport::decrypt(char* into, std::size_t room) {
    std::size_t total = 0;
    while (total < room && !end_) {
        std::size_t got = 0;
        const int result = SSL_read_ex(at_work(), into + total, room - total, &got);
        total += got;
        if (result != 1) {
            note_failure(result);
            break;
        }
        if (in_.empty() && SSL_pending(ssl_.get()) == 0) break;  // what asking again would say
    }
    return total;
}

/// Bytes for our observer. When those that came hold no whole record of data (a part of one, a
/// session ticket), the kernel is asked until it has no more: an end that came with them raises no
/// event of its own.
std::size_t TlsTransport::fetch(char* into, std::size_t room) {
    std::size_t got = decrypt(into, room);
    while (got == 0 && !end_ && pull()) got = decrypt(into, room);
    if (got == 0 && !end_ && below_ended_) {
        end_ = unannounced(below_ended_);
    }
    std::size_t sent = 0;
    (void)flush(sent);  // what OpenSSL answered by itself; send() reports what breaks
    if (!out_.empty()) wait_for_room();
    return got;
}

void TlsTransport::start_read() {
    if (closed_ || armed_) return;
    armed_ = true;
    const bool here = !in_.empty() || SSL_pending(ssl_.get()) != 0;
    if (here || end_ || below_ended_ || more_below_) return deliver_soon();
    wait_for_bytes();
}

/// Never inside the arming call.
void TlsTransport::deliver_soon() {
    if (std::exchange(delivering_, true)) return;
    loop_.post([self = Self(this)] {
        self->delivering_ = false;
        if (self->armed_ && !self->closed_) self->deliver();
    });
}

void TlsTransport::deliver() {
    if (observer_ == nullptr) return;
    const std::span<char> room = observer_->read_room();
    const std::size_t got = fetch(room.data(), room.size());
    observer_->read_landed(got);
    if (got == 0 && !end_) return wait_for_bytes();
    armed_ = false;
    observer_->on_read(got != 0 ? ErrorCode() : end_);
}

/// OpenSSL takes no more records before its own answers are gone: neither do we.
bool TlsTransport::clogged() const noexcept {
    return in_.size() > kMostQueued;
}

void TlsTransport::wait_for_bytes() {
    if (clogged() || std::exchange(below_armed_, true)) return;
    below_->start_read();
}

SendResult TlsTransport::read_now(char* into, std::size_t room) {
    if (closed_) return {0, asio::error::bad_descriptor};
    const std::size_t got = fetch(into, room);
    if (got != 0) return {got, {}};
    return {0, end_ ? end_ : ErrorCode(asio::error::would_block)};
}

/// Whether a byte for our observer is there; it stays.
bool TlsTransport::peek() {
    do {
        char byte = 0;
        std::size_t got = 0;
        const int result = SSL_peek_ex(at_work(), &byte, 1, &got);
        if (result == 1) return true;
        if (!end_) note_failure(result);
    } while (!end_ && pull());
    if (!end_ && below_ended_) {
        end_ = unannounced(below_ended_);
    }
    return false;
}

bool TlsTransport::quiet() const noexcept {
    if (end_ || closed_) return false;
    if (in_.empty() && SSL_pending(ssl_.get()) == 0 && below_->quiet()) return true;
    // Session tickets come unasked: bytes are not always data.
    auto& self = const_cast<TlsTransport&>(*this);
    return !self.peek() && !end_;
}

ErrorCode TlsTransport::ended() const noexcept {
    if (closed_) return asio::error::bad_descriptor;
    auto& self = const_cast<TlsTransport&>(*this);
    if (!self.peek()) return end_;
    if (armed_) self.deliver_soon();  // its bytes have left the kernel: no event will tell of them
    return {};
}

ErrorCode TlsTransport::left() const noexcept {
    if (end_) return end_;
    return unannounced(below_->left());
}

std::size_t TlsTransport::untaken() const noexcept {
    return below_->untaken();
}

// Output ---------------------------------------------------------------------------------------

/// Encrypts up to kBatch bytes behind the first `skip`; the number of them, 0 when OpenSSL failed.
std::size_t TlsTransport::encrypt(std::span<const iovec> pieces, std::size_t skip) {
    thread_local std::array<char, kRecord> scratch;
    const std::size_t wanted = std::min(total_of(pieces) - skip, kBatch);
    (void)out_.room(wanted + kOverhead);
    std::size_t done = 0;
    while (done < wanted) {
        const std::string_view plain = next_plain(
            pieces, skip + done, std::span(scratch).first(std::min(scratch.size(), wanted - done)));
        std::size_t taken = 0;
        const int result = SSL_write_ex(at_work(), plain.data(), plain.size(), &taken);
        if (result != 1) {
            if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL) broken_ = true;
            break;
        }
        done += taken;
    }
    return done;
}

/// Hands on what is queued; some of it may stay.
ErrorCode TlsTransport::flush(std::size_t& sent) {
    sent = 0;
    if (out_.empty()) return {};
    const iovec piece{out_.data(), out_.size()};
    const SendResult result = below_->send({&piece, 1});
    sent = result.bytes;
    out_.consume(result.bytes);
    return result.error;
}

/// How many of the bytes that were encrypted count as taken now. The last one counts only when
/// everything is in the kernel: whoever has sent all may close.
std::size_t TlsTransport::settle(std::size_t sent) noexcept {
    const std::size_t owed = owed_;
    const std::size_t done = out_.empty() ? owed : owed == 0 ? 0 : std::min(sent, owed - 1);
    owed_ -= static_cast<std::uint32_t>(done);
    return done;
}

SendResult TlsTransport::send(std::span<const iovec> pieces) {
    if (closed_ || broken_) return {0, end_ ? end_ : ErrorCode(asio::error::broken_pipe)};
    const std::size_t total = total_of(pieces);
    std::size_t sent = 0;
    if (const ErrorCode error = flush(sent)) return {0, error};
    std::size_t taken = settle(sent);
    while (out_.empty() && taken < total) {
        const std::size_t more = encrypt(pieces, taken);
        if (more == 0) return {taken, take_error()};
        owed_ += static_cast<std::uint32_t>(more);
        if (const ErrorCode error = flush(sent)) return {taken, error};
        taken += settle(sent);
    }
    return {taken, {}};
}

void TlsTransport::wait_write() {
    room_wanted_ = true;
    wait_for_room();
}

void TlsTransport::wait_for_room() {
    if (closed_ || std::exchange(below_waits_, true)) return;
    below_->wait_write();
}

void TlsTransport::on_writable(const ErrorCode& error) {
    const Self self(this);
    below_waits_ = false;
    if (closed_) return;
    if (armed_ && clogged()) deliver_soon();
    if (!std::exchange(room_wanted_, false)) {
        std::size_t sent = 0;
        if (error || flush(sent)) return;
        if (!out_.empty()) return wait_for_room();
        if (finish_when_sent_) below_->shutdown_send();
        return;
    }
    if (observer_ != nullptr) observer_->on_writable(error);
}

void TlsTransport::say_goodbye() noexcept {
    if (broken_ || handshaking_ || owed_ != 0 || SSL_in_init(ssl_.get()) != 0) return;
    SSL_shutdown(at_work());
    ERR_clear_error();
    std::size_t sent = 0;
    if (flush(sent)) broken_ = true;
}

void TlsTransport::shutdown_send() noexcept {
    if (closed_) return;
    say_goodbye();
    if (out_.empty() || broken_) return below_->shutdown_send();
    finish_when_sent_ = true;
    wait_for_room();
}

// End ------------------------------------------------------------------------------------------

/// OpenSSL takes a connection without a shutdown for an attack on its session.
void TlsTransport::let_go() noexcept {
    closed_ = true;
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    below_->observe(nullptr);
}

void TlsTransport::close() noexcept {
    if (closed_) return;
    if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) say_goodbye();
    let_go();
    below_->close();
}

void TlsTransport::abort() noexcept {
    if (closed_) return;
    let_go();
    below_->abort();
}

}  // namespace proxyd::net::tls
