#pragma once

#include <llhttp.h>

#include <string>
#include <string_view>
#include <vector>

#include "framing.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::codec::h1 {

/// The home of llhttp (strict mode): tokenises one message. First a complete head in one call,
/// whose views point into the given text; then, for chunked bodies, the chunks as they come. One
/// per message; owned by the stream. Errors name what is wrong, source as given by the kind.
class Parser {
  public:
    enum class Kind : std::uint8_t { request, response };
    explicit Parser(Kind kind) noexcept;
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    /// Whether a request with this method can be parsed at all: llhttp has a closed list.
    [[nodiscard]] static bool knows_method(std::string_view name) noexcept;

    /// For the next message of the same kind (a final answer behind a 1xx).
    void restart() noexcept;

    /// `head` is complete, up to and with its empty line, as HeadScanner found it.
    Result<void> parse_request(std::string_view head, std::size_t max_fields,
                               http::RequestHead& out);
    Result<void> parse_response(std::string_view head, std::size_t max_fields,
                                http::ResponseHead& out);

    struct Chunk {
        std::size_t consumed = 0;  ///< of the input
        std::string_view data;     ///< part of the input; may be empty
        bool end = false;          ///< the last chunk and the trailers were read
    };
    /// The next piece of a chunked body. Bounded overhead and trailers (codec/limits.hpp).
    Result<Chunk> next_chunk(std::string_view input);
    /// After `end`, without those that may not be trailers. Valid as long as the parser.
    [[nodiscard]] const http::HeaderMap& trailers();

  private:
    struct Callbacks;
    struct TrailerSpan {
        std::size_t name_at = 0, name_size = 0, value_at = 0, value_size = 0;
    };
    Result<void> execute(std::string_view head);
    Error malformed(std::string detail) const;
    Error bad_body(std::string detail) const;
    int trailer_text(bool value, std::string_view piece);

    llhttp_t parser_{};
    Kind kind_;
    http::HeaderMap* fields_ = nullptr;
    std::string_view url_;
    std::string_view status_text_;
    std::size_t max_fields_ = 0;
    bool headers_done_ = false;
    bool message_done_ = false;
    bool too_many_ = false;

    std::string_view data_;
    std::size_t overhead_ = 0;
    bool last_chunk_ = false;
    LineRules trailer_lines_;
    bool in_value_ = false;
    std::string trailer_text_;
    std::vector<TrailerSpan> trailer_spans_;
    http::HeaderMap trailers_;
};

}  // namespace proxyd::codec::h1
