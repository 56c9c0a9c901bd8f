#pragma once

#include <string>

#include "proxyd/http/message.hpp"

namespace proxyd::codec::h1 {

/// Serialises heads (RFC 9112). Connection, TE, Upgrade, Content-Length and Transfer-Encoding are
/// the writer's own: fields of these names in the map are skipped. Values must be free of CR, LF and
/// NUL.
struct ResponseFraming {
    bool keepalive = true;
    bool client_is_http10 = false;
    bool chunked = false;
};
void write_response_head(std::string& out, const http::ResponseHead& head,
                         const ResponseFraming& framing);
/// A 1xx; `upgrade` names the protocol of a 101.
void write_informational(std::string& out, const http::ResponseHead& head,
                         std::string_view upgrade);
void write_request_head(std::string& out, const http::RequestHead& head);
/// "size CRLF" of a chunk.
void write_chunk_size(std::string& out, std::size_t size);
/// The last chunk, the trailers (may be null) and the empty line.
void write_last_chunk(std::string& out, const http::HeaderMap* trailers);

}  // namespace proxyd::codec::h1
