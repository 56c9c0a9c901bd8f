#include "client_stream.hpp"

#include <array>
#include <charconv>

namespace proxyd::codec::h2 {
namespace {

using http::Field;
using http::FieldId;

/// The pseudo-fields (RFC 9113 8.3.1), and the fields that are the codec's own.
class FirstFields {
  public:
    FirstFields(const http::RequestHead& head, http::Scheme scheme) {
        add(":method", head.method_text);
        add(":scheme", http::scheme_text(scheme));
        if (const auto host = head.fields.get(FieldId::host)) add(":authority", *host);
        add(":path", head.target);
        if (head.framing == http::Framing::length) {
            const auto end = std::to_chars(digits_, digits_ + sizeof digits_, head.content_length);
            add("content-length", {digits_, end.ptr});
        }
        if (head.fields.maybe(FieldId::te) && head.fields.get(FieldId::te)) add("te", "trailers");
    }
    [[nodiscard]] std::span<const Field> get() const noexcept { return {fields_.data(), count_}; }

  private:
    void add(std::string_view name, std::string_view value) {
        fields_[count_++] = {name, value, FieldId::other};
    }

    std::array<Field, 6> fields_{};
    std::size_t count_ = 0;
    char digits_[24];
};

Error not_taken(std::string detail) {
    return Error(Reason::upstream_closed, Source::upstream, Retry::yes, std::move(detail));
}

}  // namespace

ClientStream::ClientStream(ClientConnection& connection, const ClientLimits& limits, bool reused)
    : ClientTicket(connection),
      Stream(connection, Source::upstream, ErrorCode::cancel),
      owner_(connection),
      limits_(limits),
      reader_(limits_),
      reused_(reused) {}

/// An answer that nobody waits for must not come either.
ClientStream::~ClientStream() {
    if (!input_ended() && !closed()) cut(Error(Reason::upstream_reset), ErrorCode::cancel);
}

void ClientStream::set_timeouts(http::ClientTimeouts timeouts) noexcept {
    timeouts_ = timeouts;
    set_send_limit(timeouts.send);
    owner_.wire().set_send_limit(timeouts.send);
}

Task<Result<void>> ClientStream::send_head(const http::RequestHead& head,
                                           http::SendOptions options) {
    if (failed()) return Task<Result<void>>(failure());
    if (!head.upgrade.empty()) return send_connect(head);
    if (head.method == http::Method::head) reader_.answers_head();
    const FirstFields first(head, owner_.scheme());
    const bool taken =
        owner_.session().may_open() &&
        owner_.session().submit_request(*this, first.get(), head.fields, !options.end);
    if (!taken) {
        cut(not_taken("the connection takes no more streams"), ErrorCode::cancel);
        return Task<Result<void>>(failure());
    }
    if (options.end) end_body();
    if (options.end || options.flush) owner_.wire().flush();
    return Task<Result<void>>(Result<void>{});
}

// The answer ------------------------------------------------------------------------------------

ErrorCode ClientStream::on_fields_end(bool end_of_stream) {
    answer_began_ = true;
    const ErrorCode code = reader_.finish(end_of_stream);
    if (code != ErrorCode::no_error) return code;
    if (end_of_stream) set_trailers(reader_.trailers());
    input_changed();
    return code;
}

void ClientStream::on_closed(ErrorCode code, bool by_peer) {
    if (code == ErrorCode::refused_stream && by_peer) owner_.refused();
    const bool complete = input_ended() && ended();
    if (!complete && !input_ended()) {
        if (reader_.refused()) {
            break_with(*reader_.refused());
        } else if (reader_.final_seen()) {
            break_with(Error(Reason::upstream_body_cut, Source::upstream, Retry::no,
                             "the stream ended inside the body: " + std::string(name_of(code))));
        }
    }
    Stream::on_closed(code, by_peer);
}

void ClientStream::on_frame_sent(bool data, std::size_t bytes, bool end) {
    head_left_ = true;
    Stream::on_frame_sent(data, bytes, end);
}

void ClientStream::connection_leaves() {
    if (head_left_) return;
    if (id() != 0) owner_.session().forget(*this);  // it still lies in the session's queue
    lose(not_taken("the server takes no more streams on this connection"));
}

void ClientStream::connection_lost(const Error& why) {
    if (reader_.final_seen()) {
        return lose(Error(Reason::upstream_body_cut, Source::upstream, Retry::no,
                          "the connection ended inside the body: " + why.detail));
    }
    Error error = why;
    if (answer_began_) error.retry = Retry::no;
    if (!head_left_) error.retry = Retry::yes;
    lose(error);
}

Task<Result<http::ResponseHead*>> ClientStream::read_head() {
    while (true) {
        if (reader_.has_head()) co_return as_upgraded(reader_.take_head());
        if (failed()) co_return failure();
        if (input_ended()) {
            co_return Error(Reason::upstream_bad_response, Source::upstream, Retry::no,
                            "the stream ended without a head");
        }
        const Wait ended = co_await wait_input(timeouts_.read);
        if (ended == Wait::late) {
            co_return Error(Reason::upstream_timeout_read, Source::upstream, Retry::no,
                            "no answer within timeouts.read");
        }
    }
}

Task<Result<http::BodyPart>> ClientStream::read(std::size_t max) {
    return read_body(max, timeouts_.read);
}

void ClientStream::stop(http::StopReason) noexcept {
    if (!input_ended() && !closed()) cut(Error(Reason::upstream_reset), ErrorCode::cancel);
}

}  // namespace proxyd::codec::h2
