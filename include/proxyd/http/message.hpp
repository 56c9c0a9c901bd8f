#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxyd/http/header_map.hpp"

namespace proxyd::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, connect, options, trace, patch, other };

/// RFC 9110 9.2.2; a request with such a method may be sent again.
[[nodiscard]] constexpr bool is_idempotent(Method method) noexcept {
    return method != Method::post && method != Method::patch && method != Method::connect &&
           method != Method::other;
}

enum class Version : std::uint8_t { http10, http11, http2 };
/// "1.0", "1.1", "2".
[[nodiscard]] std::string_view version_text(Version version) noexcept;

enum class Scheme : std::uint8_t { http, https };
[[nodiscard]] std::string_view scheme_text(Scheme scheme) noexcept;

enum class Framing : std::uint8_t {
    none,     ///< no body
    length,   ///< content_length bytes
    chunked,  ///< until the last chunk; trailers possible (h2: until END_STREAM)
    until_close,  ///< answers only: ends with the connection
};

/// A request as its codec read it: syntax checked, framing decided. All views live as long as the
/// stream that yielded it. Hop-by-hop fields are still in `fields`; nothing was rewritten.
struct RequestHead {
    Method method = Method::get;
    std::string_view method_text;
    std::string_view target;     ///< origin-form or "*", without the authority of absolute-form
    std::string_view authority;  ///< Host as the client spelled it, validated; empty on 1.0 without
    Scheme scheme = Scheme::http;
    Version version = Version::http11;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;  ///< for Framing::length
    bool expect_continue = false;
    std::string_view upgrade;  ///< protocol asked for ("websocket"); empty: none. h2: extended CONNECT
    HeaderMap fields;
};

/// An answer as its codec read it, or as we are about to send it.
struct ResponseHead {
    int status = 0;
    std::string_view reason_phrase;
    Version version = Version::http11;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;  ///< for Framing::length
    HeaderMap fields;
};

/// RFC 9110 6.4.1: 1xx, 204 and 304 never carry a body (HEAD is the caller's knowledge).
[[nodiscard]] constexpr bool status_has_body(int status) noexcept {
    return status >= 200 && status != 204 && status != 304;
}

/// Standard phrase, e.g. "Not Found"; empty when unknown.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;
/// Exact, case-sensitive (RFC 9110 9.1).
[[nodiscard]] Method parse_method(std::string_view text) noexcept;

}  // namespace proxyd::http
