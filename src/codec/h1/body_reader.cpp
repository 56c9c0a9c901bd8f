#include "body_reader.hpp"

#include <algorithm>

namespace proxyd::codec::h1 {
namespace {

using http::BodyPart;
using http::Framing;

/// Large bodies move in pieces of this size.
constexpr std::size_t kBulk = 128 * 1024;
/// For the head in front of a body, so that both of the next message fit one read.
constexpr std::size_t kHeadRoom = 4096;

}  // namespace

void BodyReader::start(Framing framing, std::uint64_t length) noexcept {
    framing_ = framing;
    left_ = framing == Framing::length ? length : 0;
    done_ = framing == Framing::none;
    if (left_ > channel_.unread().size()) {
        channel_.want(static_cast<std::size_t>(std::min<std::uint64_t>(left_ + kHeadRoom, kBulk)));
    }
}

std::uint64_t BodyReader::left() const noexcept {
    if (done_) return 0;
    return framing_ == Framing::length ? left_ : UINT64_MAX;
}

void BodyReader::release() noexcept {
    channel_.consume(std::exchange(loaned_, 0));
}

Error BodyReader::cut() const {
    if (channel_.closed()) return channel_.failure();
    if (side_ == Source::downstream) return connection_error(channel_.input_error(), side_);
    return Error(Reason::upstream_body_cut, side_, Retry::no,
                 "the connection ended inside the body");
}

bool BodyReader::ready() const noexcept {
    if (done_ || !pending_.empty() || channel_.closed() || channel_.input_ended()) return true;
    return channel_.unread().size() > loaned_;
}

Result<BodyPart> BodyReader::take_chunk(std::size_t max) {
    BodyPart part;
    std::string_view data = pending_;
    while (data.empty() && !pending_end_) {
        const std::string_view input = channel_.unread().substr(loaned_);
        if (input.empty()) return part;
        auto chunk = parser_.next_chunk(input);
        if (!chunk) return std::move(chunk).error();
        loaned_ += chunk->consumed;
        data = chunk->data;
        pending_end_ = chunk->end;
    }
    part.data = data.substr(0, max);
    pending_ = data.substr(part.data.size());
    // Whether this was the last piece is often already here: say so with it.
    while (pending_.empty() && !pending_end_) {
        const std::string_view input = channel_.unread().substr(loaned_);
        if (input.empty()) break;
        auto ahead = parser_.next_chunk(input);
        if (!ahead) return std::move(ahead).error();
        loaned_ += ahead->consumed;
        pending_ = ahead->data;
        pending_end_ = ahead->end;
    }
    part.end = pending_end_ && pending_.empty();
    if (part.end && !parser_.trailers().empty()) part.trailers = &parser_.trailers();
    return part;
}

Result<BodyPart> BodyReader::take(std::size_t max) {
    // What was handed out is consumed only once nothing decoded ahead points behind it.
    if (pending_.empty()) release();
    BodyPart part;
    if (framing_ == Framing::chunked) {
        auto chunk = take_chunk(max);
        if (!chunk) return breaks(std::move(chunk).error());
        part = *chunk;
    } else {
        std::string_view data = channel_.unread().substr(0, max);
        if (framing_ == Framing::length) {
            data = data.substr(0, std::min<std::uint64_t>(data.size(), left_));
            left_ -= data.size();
            part.end = left_ == 0;
        } else {
            part.end = data.empty() && channel_.input_ended() &&
                       channel_.input_error() == boost::asio::error::eof;
        }
        part.data = data;
        loaned_ = data.size();
    }
    received_ += part.data.size();
    if (received_ > max_body_) {
        return breaks(Error(Reason::body_too_large, side_, Retry::no,
                            "the body is larger than max_body_size"));
    }
    done_ = part.end;
    return part;
}

Task<Result<BodyPart>> BodyReader::read(std::size_t max, std::chrono::milliseconds limit) {
    if (done_) {
        BodyPart part;
        part.end = true;
        return Task<Result<BodyPart>>(part);
    }
    auto part = take(max);
    if (!part || !part->data.empty() || part->end) return Task<Result<BodyPart>>(std::move(part));
    return read_slow(max, limit);
}

Task<Result<BodyPart>> BodyReader::read_slow(std::size_t max, std::chrono::milliseconds limit) {
    while (true) {
        if (channel_.input_ended()) co_return breaks(cut());
        if (pending_.empty()) release();  // framing without data must not fill the block
        if (framing_ != Framing::length && channel_.more_likely()) channel_.want(kBulk);
        const async::Milliseconds since = channel_.loop().now();
        const Channel::Fill filled = co_await channel_.fill(time_.patience(limit, received_), true);
        time_.waited(channel_.loop().now() - since);
        if (filled == Channel::Fill::closed) co_return breaks(channel_.failure());
        if (filled == Channel::Fill::interrupted) {
            co_return Error(Reason::client_closed, side_, Retry::no, "reading was given up");
        }
        if (filled == Channel::Fill::late) co_return breaks(time_.late());
        auto part = take(max);
        if (!part || !part->data.empty() || part->end) co_return part;
    }
}

}  // namespace proxyd::codec::h1
