#include "response_reader.hpp"

#include <charconv>

#include "proxyd/http/hop_by_hop.hpp"

namespace proxyd::codec::h2 {
namespace {

using http::FieldId;
using http::Framing;

/// What a field costs beside its text (RFC 9113 6.5.2).
constexpr std::size_t kFieldCost = 32;

bool belongs_to_http1(FieldId id) noexcept {
    constexpr http::FieldSet kConnection(FieldId::connection, FieldId::keep_alive,
                                         FieldId::proxy_connection, FieldId::transfer_encoding,
                                         FieldId::upgrade);
    return kConnection.contains(id);
}

}  // namespace

ErrorCode ResponseReader::refuse(Reason reason, std::string_view why) {
    if (!refused_) refused_.emplace(reason, Source::upstream, Retry::no, std::string(why));
    return ErrorCode::cancel;
}

ErrorCode ResponseReader::add(std::string_view name, std::string_view value) {
    bytes_ += name.size() + value.size() + (final_seen_ ? kFieldCost : 0);
    if (final_seen_) {
        if (bytes_ > kMaxTrailerBytes) {
            return refuse(Reason::upstream_bad_response, "the trailers are too long");
        }
        if (http::may_be_trailer(name)) trailers_.add(text_.copy(name), text_.copy(value));
        return ErrorCode::no_error;
    }
    if (bytes_ > limits_.max_header_size) {
        return refuse(Reason::upstream_header_too_large, "more than buffers.header");
    }
    if (name == ":status") {
        std::from_chars(value.data(), value.data() + value.size(), reading_.status);
        return ErrorCode::no_error;
    }
    if (name.starts_with(':')) return ErrorCode::no_error;
    if (reading_.fields.size() >= limits_.max_headers) {
        return refuse(Reason::upstream_header_too_large, "too many fields");
    }
    const FieldId id = http::classify(name);
    if (belongs_to_http1(id)) {
        return refuse(Reason::upstream_bad_response, "a field that HTTP/2 does not have");
    }
    reading_.fields.add(id, id == FieldId::other ? text_.copy(name) : http::name_of(id),
                        text_.copy(value));
    return ErrorCode::no_error;
}

ErrorCode ResponseReader::finish(bool end_of_stream) {
    bytes_ = 0;
    return final_seen_ ? ErrorCode::no_error : finish_head(end_of_stream);
}

ErrorCode ResponseReader::finish_head(bool end_of_stream) {
    http::ResponseHead head = std::exchange(reading_, http::ResponseHead{});
    head.version = http::Version::http2;
    head.reason_phrase = http::reason_phrase(head.status);
    if (head.status < 100 || head.status > 599) {
        return refuse(Reason::upstream_bad_response, "a status outside 100 to 599");
    }
    if (head.status >= 200) {
        head_ = std::move(head);
        final_seen_ = final_ready_ = true;
        return settle_framing(end_of_stream);
    }
    if (head.status == 101) return refuse(Reason::upstream_bad_response, "101 in HTTP/2");
    if (end_of_stream) return refuse(Reason::upstream_bad_response, "1xx as the only answer");
    if (++informational_seen_ > limits_.max_informational) {
        return refuse(Reason::upstream_bad_response, "too many 1xx answers");
    }
    informational_.push_back(std::move(head));
    return ErrorCode::no_error;
}

/// That the bytes agree with Content-Length is checked by nghttp2.
ErrorCode ResponseReader::settle_framing(bool end_of_stream) {
    const auto length = head_.fields.get(FieldId::content_length);
    if (length) {
        const auto [end, code] =
            std::from_chars(length->data(), length->data() + length->size(), head_.content_length);
        if (code != std::errc() || end != length->data() + length->size() ||
            head_.fields.count(FieldId::content_length) != 1 || head_.content_length > INT64_MAX) {
            return refuse(Reason::upstream_bad_response, "Content-Length is not a valid number");
        }
    }
    const bool none = end_of_stream || head_request_ || !http::status_has_body(head_.status);
    head_.framing = none ? Framing::none : length ? Framing::length : Framing::chunked;
    if (!end_of_stream && length && head_.content_length == 0) head_.framing = Framing::chunked;
    return ErrorCode::no_error;
}

http::ResponseHead* ResponseReader::take_head() {
    if (!informational_.empty()) {
        taken_ = std::move(informational_.front());
        informational_.erase(informational_.begin());
        return &taken_;
    }
    final_ready_ = false;
    return &head_;
}

}  // namespace proxyd::codec::h2
