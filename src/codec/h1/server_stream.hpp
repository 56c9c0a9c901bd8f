#pragma once

#include <optional>

#include "body_reader.hpp"
#include "proxyd/base/pool.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec::h1 {

class ServerConnection;

/// One request and its answer on a ServerConnection. Its destructor tells the connection what was
/// left unread; unfinished, it cuts the connection so that the client sees a broken answer.
class ServerStreamH1 final : public http::ServerStream,
                             private http::BodySource,
                             public Pooled {
  public:
    ServerStreamH1(ServerConnection& connection, Channel& channel, const ServerLimits& limits,
                   http::StreamFacts& facts);
    ~ServerStreamH1() override;

    /// `head` is complete; afterwards refused() tells whether it was good.
    void parse(std::string_view head);
    void refuse(Error why);
    /// Overrides what parse() found.
    void refuse_with(Error why) {
        refused_.reset();
        refuse(std::move(why));
    }

    [[nodiscard]] http::RequestHead& head() noexcept override { return head_; }
    [[nodiscard]] const Error* refused() const noexcept override {
        return refused_ ? &*refused_ : nullptr;
    }
    [[nodiscard]] http::BodySource& body() noexcept override { return *this; }
    [[nodiscard]] const http::StreamFacts& facts() const noexcept override { return facts_; }

    Task<Result<void>> send_informational(const http::ResponseHead& head) override;
    Task<Result<void>> send_head(const http::ResponseHead& head,
                                 http::SendOptions options) override;
    Task<Result<void>> send(std::string_view data, http::SendOptions options) override;
    void reset(const Error& why) noexcept override;
    Task<Result<std::unique_ptr<http::Tunnel>>> upgrade(const http::ResponseHead& head) override;

    void set_send_buffer(std::size_t bytes) noexcept override { send_buffer_ = bytes; }
    void set_send_timeout(std::chrono::milliseconds limit) noexcept override;
    void set_max_body(std::uint64_t bytes) noexcept override { reader_.set_max(bytes); }
    void close_after() noexcept override { keepalive_ = false; }
    void set_abort_listener(http::AbortListener* listener) noexcept override {
        listener_ = listener;
    }
    [[nodiscard]] std::uint64_t bytes_received() const noexcept override {
        return head_bytes_ + reader_.received();
    }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept override { return sent_; }
    [[nodiscard]] std::uint64_t body_bytes_sent() const noexcept override { return body_sent_; }

    /// The connection heard that the client is gone.
    void client_gone(const Error& why);

  private:
    void check_request_line(std::string_view line);
    void check_target();
    void check_host();
    void check_upgrade();
    [[nodiscard]] bool body_can_be_drained() const noexcept;
    Task<Result<void>> flushed(std::string_view data, std::string_view tail);
    Task<Result<void>> wait_sent();
    Task<Result<http::BodyPart>> read_after_continue(std::size_t max);

    // BodySource
    Task<Result<http::BodyPart>> read(std::size_t max) override;
    [[nodiscard]] bool ready() const noexcept override { return reader_.ready(); }
    void stop(http::StopReason why) noexcept override;

    ServerConnection& connection_;
    Channel& channel_;
    const ServerLimits& limits_;
    http::StreamFacts& facts_;
    Parser parser_;
    BodyReader reader_;
    http::RequestHead head_;
    std::optional<Error> refused_;
    http::AbortListener* listener_ = nullptr;
    std::string tail_;
    std::size_t send_buffer_ = 0;
    std::uint64_t head_bytes_ = 0, sent_ = 0, body_sent_ = 0;
    std::string target_text_;  ///< where the request's own spelling cannot be used
    bool chunked_ = false;
    bool keepalive_ = true;
    bool continue_owed_ = false;
    bool head_sent_ = false;
    bool finished_ = false;
    bool tunnel_ = false;
};

}  // namespace proxyd::codec::h1
