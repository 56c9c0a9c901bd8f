#include "stream.hpp"

namespace proxyd::codec::h2 {
namespace {

using http::BodyPart;
using std::chrono::milliseconds;

/// Small parts are collected up to this size while the source has more at once.
constexpr std::size_t kCork = 16 * 1024;

bool is_violation(ErrorCode code) {
    switch (code) {
        case ErrorCode::protocol_error:
        case ErrorCode::flow_control_error:
        case ErrorCode::frame_size_error:
        case ErrorCode::stream_closed:
        case ErrorCode::compression_error:
            return true;
        default:
            return false;
    }
}

Error close_error(ErrorCode code, bool by_peer, Source side) {
    std::string text(by_peer ? "reset by the peer with " : "reset with ");
    text.append(name_of(code));
    if (side == Source::upstream) {
        const Retry retry = code == ErrorCode::refused_stream ? Retry::yes : Retry::no;
        const bool theirs = !by_peer && is_violation(code);
        return Error(theirs ? Reason::upstream_bad_response : Reason::upstream_reset, side, retry,
                     std::move(text));
    }
    const bool violation = !by_peer && is_violation(code);
    return Error(violation ? Reason::http2_protocol_error : Reason::stream_reset, side, Retry::no,
                 std::move(text));
}

}  // namespace

Stream::Stream(Connection& connection, Source side, ErrorCode unfinished)
    : connection_(connection),
      side_(side),
      unfinished_(unfinished),
      input_late_(
          connection.loop().wheel(),
          [](void* self) {
              auto& stream = *static_cast<Stream*>(self);
              stream.outcome_ = Wait::late;
              if (stream.reader_.waiting()) stream.reader_.set();
          },
          this),
      output_late_(
          connection.loop().wheel(),
          [](void* self) {
              auto& stream = *static_cast<Stream*>(self);
              const bool client = stream.side_ == Source::downstream;
              stream.cut(Error(client ? Reason::client_timeout_send : Reason::upstream_timeout_send,
                               stream.side_),
                         ErrorCode::cancel);
          },
          this) {}

Stream::~Stream() {
    if (closed_ || id() == 0 || connection_.wire().closed()) return;
    Session& session = connection_.session();
    if (!cut_ && out_.end && !end_sent_) {
        connection_.inherit(*this, std::move(out_), input_ended_, send_limit_);
    } else {
        session.forget(*this);
        if (!cut_ && out_.end && !input_ended_) session.reset(*this, ErrorCode::no_error);
        if (!cut_ && !out_.end) session.reset(*this, unfinished_);
    }
    connection_.wire().flush();
}

// What happens inside the session ---------------------------------------------------------------

void Stream::on_data(std::string_view data) {
    in_.append(data);
    received_ += data.size();
    if (reader_.waiting()) connection_.wake_later(*this);
}

void Stream::on_end() {
    input_ended_ = true;
    if (reader_.waiting()) connection_.wake_later(*this);
}

void Stream::input_changed() {
    input_changed_ = true;
    if (reader_.waiting()) connection_.wake_later(*this);
}

void Stream::on_closed(ErrorCode code, bool by_peer) {
    closed_ = true;
    const bool complete = input_ended_ && end_sent_;
    if (complete || cut_) return;
    break_with(close_error(code, by_peer, side_));
}

Stream::Supply Stream::supply(std::size_t max) {
    return cut_ ? Supply{} : out_.supply(max);
}

void Stream::take(char* into, std::size_t bytes) {
    out_.take(into, bytes);
    if (!writer_.waiting()) return;
    output_late_.arm(send_limit_);
    if (may_go_on()) connection_.wake_later(*this);
}

void Stream::on_frame_sent(bool data, std::size_t bytes, bool end) {
    constexpr std::size_t kFrameHead = 9;
    if (!data) head_sent_ += bytes + kFrameHead;
    end_sent_ = end_sent_ || end;
}

void Stream::break_with(Error why) {
    if (failed()) return;
    failure_ = std::make_unique<Error>(std::move(why));
    out_.pending = {};
    broken_untold_ = true;
    connection_.wake_later(*this);
}

// Outside it ------------------------------------------------------------------------------------

void Stream::lose(const Error& why) {
    closed_ = true;
    if (!(input_ended_ && end_sent_)) break_with(why);
}

void Stream::wake() {
    const Lifetime::Watch here(lifetime_);
    if (reader_.waiting() && (input_changed_ || body_ready())) {
        reader_.set();
        if (here.ended()) return;
    }
    if (writer_.waiting() && may_go_on()) {
        writer_.set();
        if (here.ended()) return;
    }
    if (std::exchange(broken_untold_, false)) on_broken();
}

void Stream::interrupt() {
    if (!reader_.waiting()) return;
    outcome_ = Wait::interrupted;
    reader_.set();
}

void Stream::cut(const Error& why, ErrorCode code) {
    if (cut_) return;
    cut_ = true;
    out_.pending = {};
    broken_untold_ = false;
    if (!failed()) failure_ = std::make_unique<Error>(why);
    if (!closed_ && id() != 0) {
        connection_.session().reset(*this, code);
        connection_.wire().flush();
    }
    const Lifetime::Watch here(lifetime_);
    if (reader_.waiting()) reader_.set();
    if (!here.ended() && writer_.waiting()) writer_.set();
}

// Receiving -------------------------------------------------------------------------------------

void Stream::release_loan() {
    const std::size_t bytes = std::exchange(loaned_, 0);
    if (bytes == 0) return;
    loan_.consume(bytes);
    if (closed_ || input_ended_) return;
    connection_.session().consume_stream(*this, bytes);
    connection_.wire().flush();
}

Result<BodyPart> Stream::take_part(std::size_t max) {
    release_loan();
    if (received_ > max_body_) {
        return Error(Reason::body_too_large, side_, Retry::no,
                     "the body is larger than max_body_size");
    }
    if (loan_.empty()) std::swap(loan_, in_);
    BodyPart part;
    part.data = loan_.view().substr(0, max);
    loaned_ = part.data.size();
    part.end = input_ended_ && loaned_ == loan_.size() && in_.empty();
    if (part.end) part.trailers = in_trailers_;
    if (part.data.empty() && !part.end && failed()) return failure();
    return part;
}

Task<Result<BodyPart>> Stream::read_body(std::size_t max, milliseconds limit) {
    auto part = take_part(max);
    if (!part || !part->data.empty() || part->end) return Task<Result<BodyPart>>(std::move(part));
    return read_slow(max, limit);
}

Task<Result<BodyPart>> Stream::read_slow(std::size_t max, milliseconds limit) {
    while (true) {
        const async::Milliseconds since = connection_.loop().now();
        const Wait ended = co_await wait_input(time_.patience(limit, received_));
        time_.waited(connection_.loop().now() - since);
        if (ended == Wait::late) co_return time_.late();
        if (ended == Wait::interrupted) {
            co_return Error(Reason::client_closed, side_, Retry::no, "reading was given up");
        }
        auto part = take_part(max);
        if (!part || !part->data.empty() || part->end) co_return part;
    }
}

Task<Stream::Wait> Stream::wait_input(milliseconds limit) {
    if (std::exchange(input_changed_, false)) co_return Wait::changed;
    outcome_ = Wait::changed;
    input_late_.arm(limit);
    reader_.clear();
    co_await reader_.wait();
    input_late_.disarm();
    input_changed_ = false;
    co_return outcome_;
}

// Sending ---------------------------------------------------------------------------------------

Task<Result<void>> Stream::send_body(std::string_view data, http::SendOptions options) {
    if (failed()) return Task<Result<void>>(failure());
    if (options.end) {
        out_.end = true;
        if (options.trailers != nullptr) out_.set_trailers(*options.trailers);
    } else if (!options.flush && out_.waiting() + data.size() <= kCork) {
        out_.queue.append(data);
        return Task<Result<void>>(Result<void>{});
    }
    out_.pending = data;
    connection_.session().resume(*this);
    connection_.wire().flush();
    if (failed() || may_go_on()) return Task<Result<void>>(settled());
    return send_slow();
}

Result<void> Stream::settled() {
    if (failed()) return failure();
    out_.keep_pending();
    return {};
}

Task<Result<void>> Stream::send_slow() {
    output_late_.arm(send_limit_);
    writer_.clear();
    co_await writer_.wait();
    output_late_.disarm();
    co_return settled();
}

}  // namespace proxyd::codec::h2
