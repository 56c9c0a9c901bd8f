#include <array>

#include "client_stream.hpp"
#include "websocket.hpp"

namespace proxyd::codec::h2 {
namespace {

/// What may wait for a slow reader.
constexpr std::size_t kQueue = 64 * 1024;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::chrono::milliseconds kNoLimit{0};  // timeouts.upgraded watches both directions

constexpr std::string_view kKey = "Sec-WebSocket-Key";

}  // namespace

/// The DATA of the stream (RFC 8441). The stream outlives it.
class ClientStream::WebSocket final : public http::Tunnel {
  public:
    explicit WebSocket(ClientStream& stream) : stream_(stream) {
        stream_.set_send_buffer(kQueue);
        stream_.set_send_limit(kNoLimit);
    }

    Task<Result<std::string_view>> read() override {
        if (ended_) co_return std::string_view{};
        auto part = co_await stream_.read_body(kPiece, kNoLimit);
        if (!part) co_return std::move(part).error();
        ended_ = part->end;
        co_return part->data;
    }
    Task<Result<void>> write(std::string_view bytes) override {
        http::SendOptions options;
        options.flush = true;
        return stream_.send(bytes, options);
    }
    void finish() noexcept override {
        http::SendOptions options;
        options.end = true;
        (void)stream_.send({}, options);  // nothing to wait for: what is queued is kept
    }
    void abort(Error why) noexcept override { stream_.cut(why, ErrorCode::cancel); }

  private:
    ClientStream& stream_;
    bool ended_ = false;
};

/// Extended CONNECT (RFC 8441 4), once the server has said that it takes it.
Task<Result<void>> ClientStream::send_connect(const http::RequestHead& head) {
    while (!owner_.settled() && !failed()) {
        const Wait ended = co_await wait_input(timeouts_.read);
        if (ended != Wait::late) continue;
        cut(Error(Reason::upstream_timeout_read, Source::upstream), ErrorCode::cancel);
    }
    if (failed()) co_return failure();
    if (!owner_.session().peer_allows_extended_connect()) {
        // Of the configuration's making: it says nothing of the server's health.
        cut(Error(Reason::upstream_bad_response, Source::internal, Retry::no,
                  "the server takes no WebSocket over HTTP/2 (no extended CONNECT, RFC 8441)"),
            ErrorCode::cancel);
        co_return failure();
    }
    http::HeaderMap fields;
    for (const http::Field& field : head.fields) {
        if (!field.is(http::FieldId::other, kKey)) fields.add(field.id, field.name, field.value);
    }
    websocket_key_ = head.fields.get(kKey).value_or("");
    const std::array<http::Field, 5> first{{
        {":method", "CONNECT"},
        {":protocol", head.upgrade},
        {":scheme", http::scheme_text(owner_.scheme())},
        {":authority", head.fields.get(http::FieldId::host).value_or("")},
        {":path", head.target},
    }};
    if (!owner_.session().may_open() ||
        !owner_.session().submit_request(*this, first, fields, true)) {
        cut(Error(Reason::upstream_closed, Source::upstream, Retry::yes,
                  "the connection takes no more streams"),
            ErrorCode::cancel);
        co_return failure();
    }
    owner_.wire().flush();
    co_return Result<void>{};
}

/// To whoever asked it is the 101 that it stands for.
http::ResponseHead* ClientStream::as_upgraded(http::ResponseHead* head) {
    if (websocket_key_.empty() || head->status != 200) return head;
    head->status = 101;
    head->reason_phrase = http::reason_phrase(101);
    websocket_accept_ = websocket_accept(websocket_key_);
    head->fields.add("Sec-WebSocket-Accept", websocket_accept_);
    return head;
}

std::unique_ptr<http::Tunnel> ClientStream::upgrade() {
    return std::make_unique<WebSocket>(*this);
}

}  // namespace proxyd::codec::h2
