#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxyd/base/result.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::codec::h1 {

/// Looks for the end of a head, line by line, and refuses what the parser would let through:
/// bare CR or LF, NUL and control characters, lines that begin with a space (obs-fold). Keeps its
/// place between calls, so a head that trickles in is scanned once.
class HeadScanner {
  public:
    enum class Result : std::uint8_t { need_more, complete, bad };

    /// `unfold`: an answer's obs-fold becomes spaces in place (RFC 9112 5.2) instead of bad.
    Result scan(std::span<char> data, bool unfold);
    /// Bytes of the head with its empty line; after complete.
    [[nodiscard]] std::size_t head_size() const noexcept { return at_; }
    /// End of the first line without its CRLF; 0 = not there yet.
    [[nodiscard]] std::size_t first_line() const noexcept { return first_line_; }
    void restart() noexcept { *this = HeadScanner{}; }

  private:
    std::uint32_t at_ = 0;  ///< everything before was scanned
    std::uint32_t line_start_ = 0;
    std::uint32_t first_line_ = 0;
};

/// The same rules for lines that come in pieces of any size: trailers.
class LineRules {
  public:
    /// False when the text breaks one of them.
    bool take(std::string_view text) noexcept;

  private:
    char before_ = '\n';
};

struct BodyFraming {
    http::Framing framing = http::Framing::none;
    std::uint64_t length = 0;
};

/// RFC 9112 6.3 for requests, stricter (robustness.md section 2): Error bad_request for a list, a
/// sign, an overflow or a repetition of Content-Length, and for any Transfer-Encoding beside it or
/// on 1.0; coding_unknown for a coding other than one `chunked`.
[[nodiscard]] Result<BodyFraming> request_framing(const http::HeaderMap& fields,
                                                  http::Version version);
/// The same for answers; `head_request` and the status decide first. Error
/// upstream_bad_response.
[[nodiscard]] Result<BodyFraming> response_framing(const http::ResponseHead& head,
                                                   bool head_request);

/// Connection: close / keep-alive of a message against its version's default (RFC 9112 9.3).
[[nodiscard]] bool wants_keepalive(const http::HeaderMap& fields, http::Version version);
/// Whether Connection lists `token`.
[[nodiscard]] bool connection_lists(const http::HeaderMap& fields, std::string_view token);

}  // namespace proxyd::codec::h1
