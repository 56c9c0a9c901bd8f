#pragma once

#include "channel.hpp"
#include "codec/body_time.hpp"
#include "parser.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec::h1 {

/// The body of one HTTP/1 message off a channel: by length, in chunks, or until the connection
/// ends. Parts are views into the channel's block; they are consumed with the next call. Owned by
/// the stream. A body that ends early is an error, never an end.
class BodyReader {
  public:
    BodyReader(Channel& channel, Parser& parser, Source side) noexcept
        : channel_(channel), parser_(parser), side_(side), time_(side) {}
    void start(http::Framing framing, std::uint64_t length) noexcept;

    Task<Result<http::BodyPart>> read(std::size_t max, std::chrono::milliseconds limit);
    [[nodiscard]] bool ready() const noexcept;
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// An error was returned: where the body ends is not known any more, or not worth waiting for.
    [[nodiscard]] bool broken() const noexcept { return broken_; }
    /// Bytes of a length-framed body that nobody read yet; UINT64_MAX when not known.
    [[nodiscard]] std::uint64_t left() const noexcept;
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    /// Consumes the part handed out last; after this its view is void.
    void release() noexcept;
    void set_max(std::uint64_t bytes) noexcept { max_body_ = bytes; }
    /// Bytes per second over the time that read() waited, once the first seconds are over.
    void set_min_rate(std::uint64_t bytes) noexcept { time_.set_min_rate(bytes); }

  private:
    Result<http::BodyPart> take(std::size_t max);
    Result<http::BodyPart> take_chunk(std::size_t max);
    Error breaks(Error why) noexcept {
        broken_ = true;
        return why;
    }
    Task<Result<http::BodyPart>> read_slow(std::size_t max, std::chrono::milliseconds limit);
    [[nodiscard]] Error cut() const;

    Channel& channel_;
    Parser& parser_;
    Source side_;
    http::Framing framing_ = http::Framing::none;
    std::uint64_t left_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t max_body_ = UINT64_MAX;
    BodyTime time_;
    std::size_t loaned_ = 0;    ///< bytes of the channel handed out, not consumed yet
    std::string_view pending_;  ///< chunk data decoded ahead
    bool pending_end_ = false;
    bool done_ = true;
    bool broken_ = false;
};

}  // namespace proxyd::codec::h1
