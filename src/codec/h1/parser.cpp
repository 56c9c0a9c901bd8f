#include "parser.hpp"

#include "proxyd/base/text.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/hop_by_hop.hpp"

namespace proxyd::codec::h1 {

using http::FieldId;

/// llhttp's C callbacks; `data` is the Parser.
struct Parser::Callbacks {
    static Parser& self(llhttp_t* parser) noexcept { return *static_cast<Parser*>(parser->data); }

    static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
        self(parser).url_ = {at, size};
        return 0;
    }
    static int on_status(llhttp_t* parser, const char* at, std::size_t size) {
        self(parser).status_text_ = {at, size};
        return 0;
    }
    static int on_field(llhttp_t* parser, const char* at, std::size_t size) {
        Parser& me = self(parser);
        if (me.headers_done_) return me.trailer_text(false, {at, size});
        if (me.fields_->size() >= me.max_fields_) {
            me.too_many_ = true;
            return -1;
        }
        me.fields_->add({at, size}, {});
        return 0;
    }
    static int on_value(llhttp_t* parser, const char* at, std::size_t size) {
        Parser& me = self(parser);
        if (me.headers_done_) return me.trailer_text(true, {at, size});
        std::string_view& value = me.fields_->raw().back().value;
        // A folded line of an answer comes as a second piece; between them lie only spaces.
        value = value.empty() ? std::string_view(at, size)
                              : std::string_view(value.data(), at + size - value.data());
        return 0;
    }
    static int on_headers_complete(llhttp_t* parser) {
        self(parser).headers_done_ = true;
        return 0;
    }
    static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
        self(parser).data_ = {at, size};
        return HPE_PAUSED;
    }
    static int on_chunk_header(llhttp_t* parser) {
        if (parser->content_length > INT64_MAX) return -1;
        if (parser->content_length != 0) return 0;
        self(parser).last_chunk_ = true;
        return HPE_PAUSED;  // what follows are trailers
    }
    static int on_message_complete(llhttp_t* parser) {
        self(parser).message_done_ = true;
        return HPE_PAUSED;
    }

    static const llhttp_settings_t& settings() {
        static const llhttp_settings_t table = [] {
            llhttp_settings_t made;
            llhttp_settings_init(&made);
            made.on_url = on_url;
            made.on_status = on_status;
            made.on_header_field = on_field;
            made.on_header_value = on_value;
            made.on_headers_complete = on_headers_complete;
            made.on_body = on_body;
            made.on_chunk_header = on_chunk_header;
            made.on_message_complete = on_message_complete;
            return made;
        }();
        return table;
    }
};

Parser::Parser(Kind kind) noexcept : kind_(kind) {
    llhttp_init(&parser_, kind == Kind::request ? HTTP_REQUEST : HTTP_RESPONSE,
                &Callbacks::settings());
    parser_.data = this;
}

bool Parser::knows_method(std::string_view name) noexcept {
    // Behind UNLINK come those of ICE, HTTP/2's preface and RTSP.
    for (int method = HTTP_DELETE; method <= HTTP_UNLINK; ++method) {
        if (llhttp_method_name(static_cast<llhttp_method_t>(method)) == name) return true;
    }
    return false;
}

void Parser::restart() noexcept {
    llhttp_reset(&parser_);
    headers_done_ = message_done_ = false;
}

Error Parser::malformed(std::string detail) const {
    if (kind_ == Kind::request) {
        return Error(Reason::bad_request, Source::downstream, Retry::no, std::move(detail));
    }
    return Error(Reason::upstream_bad_response, Source::upstream, Retry::no, std::move(detail));
}

Result<void> Parser::execute(std::string_view head) {
    const llhttp_errno_t code = llhttp_execute(&parser_, head.data(), head.size());
    if (too_many_) {
        return kind_ == Kind::request
                   ? Error(Reason::header_too_large, Source::downstream, Retry::no,
                           "more fields than max_headers")
                   : Error(Reason::upstream_header_too_large, Source::upstream, Retry::no,
                           "too many fields");
    }
    if (code == HPE_PAUSED) llhttp_resume(&parser_);
    if (code == HPE_PAUSED_UPGRADE) llhttp_resume_after_upgrade(&parser_);
    if (headers_done_) {
        for (http::Field& field : fields_->raw()) {
            if (field.name.empty()) return malformed("an empty field name");
            field.value = text::trim(field.value);
        }
        return {};
    }
    const char* why = llhttp_get_error_reason(&parser_);
    return malformed(why != nullptr && *why != '\0' ? why : "the head is not valid");
}

Result<void> Parser::parse_request(std::string_view head, std::size_t max_fields,
                                   http::RequestHead& out) {
    fields_ = &out.fields;
    max_fields_ = max_fields;
    if (auto parsed = execute(head); !parsed) return parsed;
    out.target = url_;
    if (parser_.http_major != 1 || parser_.http_minor > 1) {
        return Error(Reason::version_unsupported, Source::downstream);
    }
    out.version = parser_.http_minor == 1 ? http::Version::http11 : http::Version::http10;
    return {};
}

Result<void> Parser::parse_response(std::string_view head, std::size_t max_fields,
                                    http::ResponseHead& out) {
    fields_ = &out.fields;
    max_fields_ = max_fields;
    if (auto parsed = execute(head); !parsed) return parsed;
    if (parser_.http_major != 1 || parser_.http_minor > 1) {
        return malformed("a version of HTTP other than 1.0 and 1.1");
    }
    out.version = parser_.http_minor == 1 ? http::Version::http11 : http::Version::http10;
    out.status = parser_.status_code;
    out.reason_phrase = status_text_;
    if (out.status < 100 || out.status > 599) return malformed("a status outside 100 to 599");
    return {};
}

Result<Parser::Chunk> Parser::next_chunk(std::string_view input) {
    Chunk chunk;
    data_ = {};
    const bool in_trailers = last_chunk_;
    const llhttp_errno_t code = llhttp_execute(&parser_, input.data(), input.size());
    if (code == HPE_PAUSED) {
        chunk.consumed = static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - input.data());
        llhttp_resume(&parser_);
    } else if (code == HPE_OK) {
        chunk.consumed = input.size();
    } else {
        const char* why = llhttp_get_error_reason(&parser_);
        return bad_body(why != nullptr ? why : "");
    }
    if (in_trailers && !trailer_lines_.take(input.substr(0, chunk.consumed))) {
        return bad_body("the trailers are not valid");
    }
    chunk.data = data_;
    chunk.end = message_done_;
    overhead_ = chunk.data.empty() ? overhead_ + chunk.consumed : 0;
    if (overhead_ > (last_chunk_ ? kMaxTrailerBytes : kMaxChunkOverhead)) {
        return bad_body("the framing of a chunk or the trailers are too long");
    }
    return chunk;
}

Error Parser::bad_body(std::string detail) const {
    Error error = malformed(std::move(detail));
    if (kind_ == Kind::request) error.code = Reason::body_malformed;
    return error;
}

int Parser::trailer_text(bool value, std::string_view piece) {
    if (!value && in_value_) trailer_spans_.emplace_back();
    if (!value && trailer_spans_.empty()) trailer_spans_.emplace_back();
    in_value_ = value;
    TrailerSpan& span = trailer_spans_.back();
    std::size_t& at = value ? span.value_at : span.name_at;
    std::size_t& size = value ? span.value_size : span.name_size;
    if (size == 0) at = trailer_text_.size();
    size += piece.size();
    trailer_text_.append(piece);
    return 0;
}

const http::HeaderMap& Parser::trailers() {
    trailers_.clear();
    const std::string_view all = trailer_text_;
    for (const TrailerSpan& span : trailer_spans_) {
        const std::string_view name = all.substr(span.name_at, span.name_size);
        if (!http::may_be_trailer(name)) continue;
        trailers_.add(name, text::trim(all.substr(span.value_at, span.value_size)));
    }
    return trailers_;
}

}  // namespace proxyd::codec::h1
