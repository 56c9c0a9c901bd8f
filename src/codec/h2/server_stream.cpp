#include "server_stream.hpp"

#include <array>
#include <charconv>

#include "proxyd/http/hop_by_hop.hpp"
#include "server_connection.hpp"
#include "tunnel.hpp"
#include "websocket.hpp"

namespace proxyd::codec::h2 {
namespace {

using http::Field;
using http::FieldId;
using http::Framing;

Result<void> lost() {
    return Error(Reason::client_closed, Source::downstream, Retry::no, "the stream is gone");
}

/// Status and length of an answer, as fields.
class AnswerLines {
  public:
    explicit AnswerLines(int status) {
        status_[0] = static_cast<char>('0' + status / 100 % 10);
        status_[1] = static_cast<char>('0' + status / 10 % 10);
        status_[2] = static_cast<char>('0' + status % 10);
        lines_[0] = Field{":status", {status_, sizeof status_}, FieldId::other};
    }
    void add_length(std::uint64_t length) {
        const auto end = std::to_chars(length_, length_ + sizeof length_, length).ptr;
        lines_[1] = Field{"content-length",
                          {length_, static_cast<std::size_t>(end - length_)},
                          FieldId::content_length};
        count_ = 2;
    }
    [[nodiscard]] std::span<const Field> view() const noexcept { return {lines_.data(), count_}; }

  private:
    char status_[3];
    char length_[24];
    std::array<Field, 2> lines_;
    std::size_t count_ = 1;
};

}  // namespace

ServerStreamH2::ServerStreamH2(ServerConnection& connection, const ServerLimits& limits,
                               http::StreamFacts& facts)
    : Stream(connection, Source::downstream, ErrorCode::internal_error),
      server_(connection),
      limits_(limits),
      facts_(facts),
      reader_(head_, text_, limits) {
    set_send_limit(limits.send_timeout);
    set_min_rate(limits.min_rate);
}

ServerStreamH2::~ServerStreamH2() {
    server_.stream_gone(*this);
}

// The request ---------------------------------------------------------------------------------

ErrorCode ServerStreamH2::on_field(std::string_view name, std::string_view value) {
    if (!head_done_) return reader_.add(name, value);
    trailer_bytes_ += name.size() + value.size();
    if (trailer_bytes_ > kMaxTrailerBytes || trailers_.size() >= limits_.max_headers) {
        return ErrorCode::enhance_your_calm;
    }
    if (http::may_be_trailer(name)) trailers_.add(text_.copy(name), text_.copy(value));
    return ErrorCode::no_error;
}

ErrorCode ServerStreamH2::on_fields_end(bool end_of_stream) {
    if (head_done_) {
        if (!trailers_.empty()) set_trailers(&trailers_);
        return ErrorCode::no_error;
    }
    head_done_ = true;
    reader_.finish(end_of_stream, facts_.secure);
    continue_owed_ = head_.expect_continue;
    server_.head_arrived(*this);
    return ErrorCode::no_error;
}

void ServerStreamH2::on_closed(ErrorCode code, bool by_peer) {
    Stream::on_closed(code, by_peer);
    server_.stream_closed(*this, code, by_peer);
}

void ServerStreamH2::on_broken() {
    if (ended()) return;
    if (listener_ != nullptr) std::exchange(listener_, nullptr)->on_abort(failure());
}

Task<Result<http::BodyPart>> ServerStreamH2::read(std::size_t max) {
    if (reader_.refused() || head_.framing == Framing::none) {
        http::BodyPart nothing;
        nothing.end = true;
        return Task<Result<http::BodyPart>>(nothing);
    }
    if (continue_owed_ && !head_sent_ && !body_ready()) return read_after_continue(max);
    return read_body(max, limits_.body_timeout);
}

Task<Result<http::BodyPart>> ServerStreamH2::read_after_continue(std::size_t max) {
    http::ResponseHead go_on;
    go_on.status = 100;
    if (auto sent = co_await send_informational(go_on); !sent) co_return std::move(sent).error();
    co_return co_await read_body(max, limits_.body_timeout);
}

// The answer ----------------------------------------------------------------------------------

Task<Result<void>> ServerStreamH2::send_informational(const http::ResponseHead& head) {
    if (failed()) return Task<Result<void>>(failure());
    if (closed()) return Task<Result<void>>(lost());
    if (head.status == 100) continue_owed_ = false;
    const AnswerLines lines(head.status);
    connection().session().submit_informational(*this, lines.view(), head.fields);
    connection().wire().flush();
    return Task<Result<void>>(Result<void>{});
}

bool ServerStreamH2::submit(const http::ResponseHead& head, bool body) {
    AnswerLines lines(head.status);
    const bool may_tell = http::status_has_body(head.status) || head.status == 304;
    if (head.framing == Framing::length && may_tell) {
        lines.add_length(head.content_length);
    } else if (head.framing == Framing::none && head.fields.maybe(FieldId::content_length) &&
               http::status_has_body(head.status) && head_.method != http::Method::head) {
        lines.add_length(0);
    }
    head_sent_ = true;
    return connection().session().submit_response(*this, lines.view(), head.fields, body);
}

Task<Result<void>> ServerStreamH2::send_head(const http::ResponseHead& head,
                                             http::SendOptions options) {
    if (failed()) return Task<Result<void>>(failure());
    if (closed() || !submit(head, !options.end)) return Task<Result<void>>(lost());
    if (options.end) end_body();
    if (options.end || options.flush) connection().wire().flush();
    return Task<Result<void>>(Result<void>{});
}

Task<Result<void>> ServerStreamH2::send(std::string_view data, http::SendOptions options) {
    if (head_.method == http::Method::head && head_.upgrade.empty()) data = {};
    body_sent_ += data.size();
    return send_body(data, options);
}

void ServerStreamH2::reset(const Error& why) noexcept {
    if (ended()) return;
    listener_ = nullptr;
    cut(why, ErrorCode::internal_error);
}

void ServerStreamH2::close_after() noexcept {
    server_.drain_after_streams();
}

Task<Result<std::unique_ptr<http::Tunnel>>> ServerStreamH2::upgrade(
    const http::ResponseHead& head) {
    using Answer = Result<std::unique_ptr<http::Tunnel>>;
    if (failed()) return Task<Answer>(failure());
    if (head.fields.get("sec-websocket-accept") != websocket_accept(reader_.websocket_key())) {
        return Task<Answer>(Error(Reason::upstream_bad_response, Source::upstream, Retry::no,
                                  "the 101 has no valid Sec-WebSocket-Accept"));
    }
    http::ResponseHead answer;
    answer.status = 200;
    for (const Field& field : head.fields) {
        if (!field.is(FieldId::other, "sec-websocket-accept")) {
            answer.fields.add(field.id, field.name, field.value);
        }
    }
    if (closed() || !submit(answer, true)) return Task<Answer>(lost().error());
    set_send_limit(std::chrono::milliseconds{0});  // timeouts.upgraded watches both ways
    connection().wire().flush();
    std::unique_ptr<http::Tunnel> tunnel = std::make_unique<StreamTunnel>(*this);
    return Task<Answer>(Answer(std::move(tunnel)));
}

}  // namespace proxyd::codec::h2
