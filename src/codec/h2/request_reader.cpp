#include "request_reader.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "codec/h1/parser.hpp"
#include "codec/token.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/http/uri.hpp"
#include "websocket.hpp"

namespace proxyd::codec::h2 {
namespace {

using http::FieldId;
using http::Framing;
using http::Method;

/// Of a target that is too long, for the log.
constexpr std::size_t kShownTarget = 1024;

}  // namespace

void RequestReader::refuse(Reason reason, std::string_view why) {
    if (!refused_) refused_.emplace(reason, Source::downstream, Retry::no, std::string(why));
}

ErrorCode RequestReader::add(std::string_view name, std::string_view value) {
    bytes_ += name.size() + value.size();
    if (bytes_ > 2 * limits_.max_header_size) return ErrorCode::enhance_your_calm;
    if (bytes_ > limits_.max_header_size) {
        refuse(Reason::header_too_large, "more than max_header_size");
        value = value.substr(0, name.front() == ':' ? kShownTarget : 0);
    }
    if (name.front() == ':') {
        add_pseudo(name, value);
        return ErrorCode::no_error;
    }
    if (refused_) return ErrorCode::no_error;
    const FieldId id = http::classify(name);
    if (id == FieldId::cookie) {
        add_crumb(value);
    } else if (head_.fields.size() >= limits_.max_headers) {
        refuse(Reason::header_too_large, "more fields than max_headers");
    } else {
        const bool known = id != FieldId::other;
        head_.fields.add(id, known ? http::name_of(id) : text_.copy(name), text_.copy(value));
    }
    return ErrorCode::no_error;
}

void RequestReader::add_pseudo(std::string_view name, std::string_view value) {
    if (name == ":method") {
        head_.method = http::parse_method(value);
        head_.method_text = text_.copy(value);
    } else if (name == ":path") {
        head_.target = text_.copy(value);
    } else if (name == ":authority") {
        authority_ = text_.copy(value);
    } else if (name == ":scheme") {
        scheme_ = text_.copy(value);
    } else if (name == ":protocol") {
        protocol_ = text_.copy(value);
    }
}

/// RFC 9113 8.2.3: crumbs are joined for whoever speaks HTTP/1.
void RequestReader::add_crumb(std::string_view value) {
    constexpr std::string_view kBetween = "; ";
    const bool first = !cookie_seen_;
    cookie_seen_ = true;
    const std::size_t more = value.size() + (first ? 0 : kBetween.size());
    if (cookie_size_ + more > cookie_room_) {
        cookie_room_ = std::max(2 * cookie_room_, cookie_size_ + more);
        char* const larger = text_.allocate(cookie_room_);
        std::copy(cookie_, cookie_ + cookie_size_, larger);
        cookie_ = larger;
    }
    char* to = cookie_ + cookie_size_;
    if (!first) to = std::copy(kBetween.begin(), kBetween.end(), to);
    to = std::copy(value.begin(), value.end(), to);
    cookie_size_ = static_cast<std::size_t>(to - cookie_);
}

void RequestReader::finish(bool end_of_stream, bool secure) {
    head_.version = http::Version::http2;
    head_.scheme = secure ? http::Scheme::https : http::Scheme::http;
    if (cookie_seen_) head_.fields.add(FieldId::cookie, {cookie_, cookie_size_});
    if (!refused_) check_method();
    if (!refused_) check_target();
    if (!refused_) check_authority();
    if (!refused_) check_framing(end_of_stream);
    if (!refused_ && !protocol_.empty()) become_upgrade();
}

void RequestReader::check_method() {
    if (!is_token(head_.method_text)) {
        return refuse(Reason::bad_request, "the method is not valid");
    }
    if (head_.method == Method::connect) {
        if (protocol_.empty()) return refuse(Reason::method_not_allowed);
        if (protocol_ != "websocket") {
            return refuse(Reason::method_unknown, "an extended CONNECT other than websocket");
        }
        return;
    }
    if (head_.method == Method::trace) return refuse(Reason::method_not_allowed);
    if (head_.method == Method::other && !h1::Parser::knows_method(head_.method_text)) {
        refuse(Reason::method_unknown);
    }
}

void RequestReader::check_target() {
    if (!text::iequals(scheme_, "http") && !text::iequals(scheme_, "https")) {
        return refuse(Reason::bad_request, "a :scheme other than http and https");
    }
    const auto bad = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte >= 0x7f || c == '#';
    };
    if (std::ranges::any_of(head_.target, bad)) {
        return refuse(Reason::bad_request, "'#', a space or a raw byte in :path");
    }
    if (head_.target.starts_with('/')) return;
    if (head_.target == "*" && head_.method == Method::options) return;
    refuse(Reason::bad_request, ":path is not valid");
}

void RequestReader::check_authority() {
    const std::size_t hosts = head_.fields.count(FieldId::host);
    if (hosts > 1) return refuse(Reason::bad_host, "more than one Host");
    const std::string_view host = head_.fields.get(FieldId::host).value_or("");
    if (!authority_.empty() && hosts == 1 && !text::iequals(host, authority_)) {
        return refuse(Reason::bad_host, "Host does not agree with :authority");
    }
    head_.authority = authority_.empty() ? host : authority_;
    if (head_.authority.empty()) return refuse(Reason::bad_host, "no :authority");
    if (auto valid = http::parse_authority(head_.authority); !valid) {
        return refuse(Reason::bad_host, ":authority is not valid");
    }
    if (hosts == 0) head_.fields.add(FieldId::host, head_.authority);
}

void RequestReader::check_framing(bool end_of_stream) {
    if (end_of_stream) return;  // that it says no other length was checked
    const auto length = head_.fields.get(FieldId::content_length);
    head_.framing = length ? Framing::length : Framing::chunked;
    if (length) {
        std::from_chars(length->data(), length->data() + length->size(), head_.content_length);
    }
    if (const auto expect = head_.fields.get(FieldId::expect)) {
        head_.expect_continue = text::iequals(*expect, "100-continue");
    }
}

/// RFC 8441 5.1: to whoever speaks HTTP/1 it is the GET that it stands for.
void RequestReader::become_upgrade() {
    if (head_.method != Method::connect) {
        return refuse(Reason::bad_request, ":protocol without CONNECT");
    }
    head_.method = Method::get;
    head_.method_text = "GET";
    head_.framing = Framing::none;
    head_.content_length = 0;
    head_.expect_continue = false;
    head_.upgrade = "websocket";
    websocket_key_ = text_.copy(make_websocket_key());
    head_.fields.remove("sec-websocket-key");
    head_.fields.remove(FieldId::content_length);
    head_.fields.add("Sec-WebSocket-Key", websocket_key_);
}

}  // namespace proxyd::codec::h2
