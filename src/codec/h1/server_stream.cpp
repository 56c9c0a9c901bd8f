#include "server_stream.hpp"

#include <boost/asio/error.hpp>
#include <charconv>

#include "codec/token.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/http/uri.hpp"
#include "server_connection.hpp"
#include "tunnel.hpp"
#include "writer.hpp"

namespace proxyd::codec::h1 {
namespace {

using http::FieldId;
using http::Framing;
using http::Method;

/// Small parts are collected up to this size while the source has more at once.
constexpr std::size_t kCork = 16 * 1024;
constexpr std::string_view kCrlf = "\r\n";

bool is_version(std::string_view text) {
    return text.size() == 8 && text.starts_with("HTTP/") && text[5] >= '0' && text[5] <= '9' &&
           text[6] == '.' && text[7] >= '0' && text[7] <= '9';
}

}  // namespace

ServerStreamH1::ServerStreamH1(ServerConnection& connection, Channel& channel,
                               const ServerLimits& limits, http::StreamFacts& facts)
    : connection_(connection),
      channel_(channel),
      limits_(limits),
      facts_(facts),
      parser_(Parser::Kind::request),
      reader_(channel, parser_, Source::downstream) {
    head_.scheme = facts.secure ? http::Scheme::https : http::Scheme::http;
    channel_.set_send_limit(limits.send_timeout, Reason::client_timeout_send);
    reader_.set_min_rate(limits.min_rate);
}

ServerStreamH1::~ServerStreamH1() {
    if (!finished_ && !tunnel_ && !channel_.closed()) {
        listener_ = nullptr;
        channel_.fail(Error(Reason::internal_error), true);
    }
    if (tunnel_) set_send_timeout(limits_.send_timeout);  // for what is still queued
    reader_.release();
    const bool draining = body_can_be_drained();
    channel_.unpin();
    connection_.stream_ended(keepalive_ && finished_ && draining && !tunnel_,
                             refused_ ? UINT64_MAX : reader_.left());
}

// The request ---------------------------------------------------------------------------------

void ServerStreamH1::refuse(Error why) {
    keepalive_ = false;
    if (!refused_) refused_ = std::move(why);
}

void ServerStreamH1::check_request_line(std::string_view line) {
    const std::size_t space = line.find(' ');
    const std::size_t last = line.rfind(' ');
    head_.method_text = line.substr(0, space);
    head_.method = http::parse_method(head_.method_text);
    if (space == last && space != line.npos) head_.target = line.substr(space + 1);  // for the log
    if (!is_token(head_.method_text) || space == last || space == std::string_view::npos) {
        return refuse(Error(Reason::bad_request, Source::downstream, Retry::no,
                            "the request line is not valid"));
    }
    head_.target = line.substr(space + 1, last - space - 1);
    const std::string_view version = line.substr(last + 1);
    if (head_.target.find(' ') != std::string_view::npos || !is_version(version)) {
        return refuse(Error(Reason::bad_request, Source::downstream, Retry::no,
                            "the request line is not valid"));
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return refuse(Error(Reason::version_unsupported, Source::downstream));
    }
    if (head_.method == Method::connect || head_.method == Method::trace) {
        return refuse(Error(Reason::method_not_allowed, Source::downstream));
    }
    if (head_.method == Method::other && !Parser::knows_method(head_.method_text)) {
        return refuse(Error(Reason::method_unknown, Source::downstream));
    }
}

void ServerStreamH1::check_target() {
    if (head_.target.find('#') != std::string_view::npos) {
        return refuse(
            Error(Reason::bad_request, Source::downstream, Retry::no, "'#' in the request target"));
    }
    if (head_.target.starts_with('/')) return;
    if (head_.target == "*" && head_.method == Method::options) return;
    // absolute-form (RFC 9112 3.2.2): its authority wins over Host
    std::string_view rest = head_.target;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (rest.size() < scheme.size() || !text::iequals(rest.substr(0, scheme.size()), scheme)) {
            continue;
        }
        rest.remove_prefix(scheme.size());
        const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
        head_.authority = rest.substr(0, slash);
        head_.target = rest.substr(slash);
        if (!head_.target.starts_with('/')) {
            target_text_.append("/").append(head_.target);
            head_.target = target_text_;
        }
        if (head_.target.front() == '/' && !head_.authority.empty()) return;
    }
    refuse(Error(Reason::bad_request, Source::downstream, Retry::no,
                 "the request target is not valid"));
}

void ServerStreamH1::check_host() {
    const std::size_t hosts = head_.fields.count(FieldId::host);
    if (hosts > 1 || (hosts == 0 && head_.version == http::Version::http11)) {
        return refuse(Error(Reason::bad_host, Source::downstream, Retry::no,
                            hosts > 1 ? "more than one Host" : "no Host"));
    }
    const std::string_view host = head_.fields.get(FieldId::host).value_or("");
    if (!head_.authority.empty()) {
        if (hosts == 1 && !text::iequals(host, head_.authority)) {
            return refuse(Error(Reason::bad_host, Source::downstream, Retry::no,
                                "Host does not agree with the request target"));
        }
    } else {
        head_.authority = host;
    }
    if (hosts == 0 && head_.authority.empty()) return;
    if (auto valid = http::parse_authority(head_.authority); !valid) {
        refuse(Error(Reason::bad_host, Source::downstream, Retry::no, "Host is not valid"));
    }
}

void ServerStreamH1::check_upgrade() {
    // Only what is on the list is an upgrade to anyone behind us; h2c and others are ignored.
    if (!head_.fields.maybe(FieldId::upgrade) || head_.version != http::Version::http11) return;
    if (head_.method != Method::get || head_.framing != Framing::none) return;
    const auto token = head_.fields.get(FieldId::upgrade);
    if (token && text::iequals(*token, "websocket") && head_.fields.count(FieldId::upgrade) == 1 &&
        connection_lists(head_.fields, "upgrade")) {
        head_.upgrade = "websocket";
    }
}

void ServerStreamH1::parse(std::string_view text) {
    head_bytes_ = text.size();
    const std::size_t line_end = text.find(kCrlf);
    check_request_line(text.substr(0, line_end));
    if (refused_) return;
    const std::string_view target = head_.target;
    if (auto parsed = parser_.parse_request(text, limits_.max_headers, head_); !parsed) {
        head_.target = target;
        return refuse(std::move(parsed).error());
    }
    head_.target = target;
    check_target();
    if (!refused_) check_host();
    if (refused_) return;
    auto framing = request_framing(head_.fields, head_.version);
    if (!framing) return refuse(std::move(framing).error());
    head_.framing = framing->framing;
    head_.content_length = framing->length;
    reader_.start(framing->framing, framing->length);
    check_upgrade();
    keepalive_ = wants_keepalive(head_.fields, head_.version);
    if (head_.fields.maybe(FieldId::expect) && head_.version == http::Version::http11 &&
        text::iequals(*head_.fields.get(FieldId::expect), "100-continue")) {
        head_.expect_continue = continue_owed_ = head_.framing != Framing::none;
    }
}

Task<Result<http::BodyPart>> ServerStreamH1::read(std::size_t max) {
    if (continue_owed_ && !head_sent_ && channel_.unread().empty()) return read_after_continue(max);
    return reader_.read(max, limits_.body_timeout);
}

Task<Result<http::BodyPart>> ServerStreamH1::read_after_continue(std::size_t max) {
    continue_owed_ = false;
    http::ResponseHead go_on;
    go_on.status = 100;
    go_on.reason_phrase = "Continue";
    if (auto sent = co_await send_informational(go_on); !sent) co_return std::move(sent).error();
    co_return co_await reader_.read(max, limits_.body_timeout);
}

void ServerStreamH1::stop(http::StopReason) noexcept {
    channel_.interrupt();
}

// The answer ----------------------------------------------------------------------------------

/// What is unread of the body can be skipped, so that the next request may follow.
bool ServerStreamH1::body_can_be_drained() const noexcept {
    if (refused_ || reader_.broken() || (continue_owed_ && !reader_.done())) return false;
    return reader_.left() <= kDrainBytes;
}

Task<Result<void>> ServerStreamH1::send_informational(const http::ResponseHead& head) {
    if (head_.version != http::Version::http11) return Task<Result<void>>(Result<void>{});
    if (head.status == 100) continue_owed_ = false;
    write_informational(channel_.out(), head, {});
    return flushed({}, {});
}

Task<Result<void>> ServerStreamH1::send_head(const http::ResponseHead& head,
                                             http::SendOptions options) {
    const bool has_body = head_.method != Method::head && http::status_has_body(head.status);
    ResponseFraming framing;
    framing.client_is_http10 = head_.version == http::Version::http10;
    const bool unknown_length =
        head.framing == Framing::chunked || head.framing == Framing::until_close;
    framing.chunked =
        unknown_length && !framing.client_is_http10 && http::status_has_body(head.status);
    chunked_ = framing.chunked && has_body;
    if (unknown_length && has_body && framing.client_is_http10) keepalive_ = false;
    if (!body_can_be_drained() || connection_.draining_) keepalive_ = false;
    if (facts_.requests_before + 1 >= limits_.keepalive_requests) keepalive_ = false;
    if (limits_.keepalive_timeout.count() == 0) keepalive_ = false;
    framing.keepalive = keepalive_;

    const std::size_t before = channel_.out().size();
    write_response_head(channel_.out(), head, framing);
    sent_ += channel_.out().size() - before;
    head_sent_ = true;
    finished_ = options.end;
    if (options.end && chunked_) write_last_chunk(channel_.out(), nullptr);
    if (options.end || options.flush) return flushed({}, {});
    return Task<Result<void>>(Result<void>{});
}

Task<Result<void>> ServerStreamH1::send(std::string_view data, http::SendOptions options) {
    if (head_.method == Method::head) data = {};
    finished_ = options.end;
    body_sent_ += data.size();
    sent_ += data.size();
    std::string_view tail;
    if (chunked_) {
        if (!data.empty()) {
            write_chunk_size(channel_.out(), data.size());
            tail = kCrlf;
        }
        if (options.end) {
            tail_.assign(tail);
            write_last_chunk(tail_, options.trailers);
            tail = tail_;
        }
    }
    if (!options.end && !options.flush && channel_.queued() + data.size() <= kCork) {
        channel_.out().append(data).append(tail);
        return Task<Result<void>>(Result<void>{});
    }
    return flushed(data, tail);
}

Task<Result<void>> ServerStreamH1::flushed(std::string_view data, std::string_view tail) {
    if (!channel_.flush(data, tail)) return Task<Result<void>>(channel_.failure());
    if (!channel_.blocked() || channel_.queued() <= send_buffer_) {
        return Task<Result<void>>(Result<void>{});
    }
    return wait_sent();
}

Task<Result<void>> ServerStreamH1::wait_sent() {
    const bool sent = co_await channel_.drained(send_buffer_);
    if (!sent) co_return channel_.failure();
    co_return Result<void>{};
}

void ServerStreamH1::reset(const Error& why) noexcept {
    if (finished_) return;
    keepalive_ = false;
    listener_ = nullptr;
    channel_.fail(why, true);
}

void ServerStreamH1::set_send_timeout(std::chrono::milliseconds limit) noexcept {
    channel_.set_send_limit(limit, Reason::client_timeout_send);
}

Task<Result<std::unique_ptr<http::Tunnel>>> ServerStreamH1::upgrade(
    const http::ResponseHead& head) {
    tunnel_ = true;
    keepalive_ = false;
    const std::size_t before = channel_.out().size();
    write_informational(channel_.out(), head, head_.upgrade);
    sent_ += channel_.out().size() - before;
    set_send_timeout(std::chrono::milliseconds{0});  // timeouts.upgraded watches both ways
    channel_.watch(std::chrono::milliseconds{0});
    if (auto sent = co_await flushed({}, {}); !sent) co_return std::move(sent).error();
    std::unique_ptr<http::Tunnel> tunnel =
        std::make_unique<ChannelTunnel>(channel_, Source::downstream);
    co_return tunnel;
}

void ServerStreamH1::client_gone(const Error& why) {
    // In a tunnel an end of input is a half-close, which its reader finds by itself.
    if (finished_ || (tunnel_ && !channel_.closed())) return;
    if (listener_ != nullptr) std::exchange(listener_, nullptr)->on_abort(why);
}

}  // namespace proxyd::codec::h1
