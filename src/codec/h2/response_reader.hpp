#pragma once

#include <optional>
#include <vector>

#include "proxyd/base/arena.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/message.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// Makes heads and trailers of the HEADERS blocks of an answer, which nghttp2 has checked against
/// RFC 9113 8.2 and 8.3. Text is kept in the arena, within the limits. Part of the stream.
class ResponseReader {
  public:
    explicit ResponseReader(const ClientLimits& limits) noexcept : limits_(limits) {}
    /// Of the request: an answer to HEAD has no body.
    void answers_head() noexcept { head_request_ = true; }

    /// Anything but no_error: refused() tells why.
    ErrorCode add(std::string_view name, std::string_view value);
    /// The block is complete.
    ErrorCode finish(bool end_of_stream);
    [[nodiscard]] const std::optional<Error>& refused() const noexcept { return refused_; }

    /// Whether a head is there that nobody took.
    [[nodiscard]] bool has_head() const noexcept { return !informational_.empty() || final_ready_; }
    /// The next head; owned by the reader, valid until the next call.
    [[nodiscard]] http::ResponseHead* take_head();
    /// The final head was read, taken or not.
    [[nodiscard]] bool final_seen() const noexcept { return final_seen_; }
    /// Null when there are none.
    [[nodiscard]] const http::HeaderMap* trailers() const noexcept {
        return trailers_.empty() ? nullptr : &trailers_;
    }

  private:
    ErrorCode refuse(Reason reason, std::string_view why);
    ErrorCode finish_head(bool end_of_stream);
    ErrorCode settle_framing(bool end_of_stream);

    const ClientLimits& limits_;
    bool head_request_ = false;
    std::optional<Error> refused_;
    Arena text_;
    http::ResponseHead reading_, head_, taken_;
    /// Few, and mostly none: what comes faster than it is taken.
    std::vector<http::ResponseHead> informational_;
    unsigned informational_seen_ = 0;
    http::HeaderMap trailers_;
    std::size_t bytes_ = 0;  ///< of the block at hand
    bool final_seen_ = false, final_ready_ = false;
};

}  // namespace proxyd::codec::h2
