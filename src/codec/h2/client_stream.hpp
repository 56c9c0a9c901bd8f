#pragma once

#include "client_connection.hpp"
#include "proxyd/base/pool.hpp"
#include "response_reader.hpp"
#include "stream.hpp"

namespace proxyd::codec::h2 {

/// Tells the connection of the stream's end, when nothing of the stream is left.
class ClientTicket {
  public:
    explicit ClientTicket(ClientConnection& connection) noexcept : connection_(connection) {}
    ClientTicket(const ClientTicket&) = delete;
    ClientTicket& operator=(const ClientTicket&) = delete;
    ~ClientTicket() { connection_.stream_gone(); }

  private:
    ClientConnection& connection_;
};

/// One request and its answer. Owned by the exchange.
class ClientStream final : public http::ClientStream,
                           private ClientTicket,
                           public Stream,
                           public ClientHook,
                           private http::BodySource,
                           public Pooled {
  public:
    ClientStream(ClientConnection& connection, const ClientLimits& limits, bool reused);
    ~ClientStream() override;

    // http::ClientStream
    void set_timeouts(http::ClientTimeouts timeouts) noexcept override;
    Task<Result<void>> send_head(const http::RequestHead& head, http::SendOptions options) override;
    Task<Result<void>> send(std::string_view data, http::SendOptions options) override {
        return send_body(data, options);
    }
    Task<Result<http::ResponseHead*>> read_head() override;
    [[nodiscard]] http::BodySource& body() noexcept override { return *this; }
    std::unique_ptr<http::Tunnel> upgrade() override;
    void reset(const Error& why) noexcept override { cut(why, ErrorCode::cancel); }
    [[nodiscard]] bool reused() const noexcept override { return reused_; }

    /// What the peer allows is known now.
    void connection_settled() {
        if (!head_left_) input_changed();
    }
    /// The peer said GOAWAY: if the request has not left yet, it never will.
    void connection_leaves();
    /// The connection is lost, by `why`.
    void connection_lost(const Error& why);

  private:
    class WebSocket;
    Task<Result<void>> send_connect(const http::RequestHead& head);
    [[nodiscard]] http::ResponseHead* as_upgraded(http::ResponseHead* head);

    // SessionStream
    ErrorCode on_field(std::string_view name, std::string_view value) override {
        return reader_.add(name, value);
    }
    ErrorCode on_fields_end(bool end_of_stream) override;
    void on_closed(ErrorCode code, bool by_peer) override;
    void on_frame_sent(bool data, std::size_t bytes, bool end) override;
    void on_broken() override {}

    // http::BodySource
    Task<Result<http::BodyPart>> read(std::size_t max) override;
    [[nodiscard]] bool ready() const noexcept override { return body_ready(); }
    void stop(http::StopReason) noexcept override;

    ClientConnection& owner_;
    const ClientLimits limits_;
    ResponseReader reader_;
    http::ClientTimeouts timeouts_;
    bool reused_;
    bool head_left_ = false;  ///< the request's head went out
    bool answer_began_ = false;
    std::string websocket_key_;  ///< of a request for an upgrade
    std::string websocket_accept_;
};

}  // namespace proxyd::codec::h2
