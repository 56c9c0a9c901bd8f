#pragma once

#include "proxyd/base/arena.hpp"
#include "proxyd/base/pool.hpp"
#include "proxyd/http/stream.hpp"
#include "request_reader.hpp"
#include "stream.hpp"

namespace proxyd::codec::h2 {

class ServerConnection;
struct LiveTag;
struct ArrivedTag;
/// All of a connection; those that wait for accept().
using ArrivedHook = boost::intrusive::list_base_hook<AutoUnlink, boost::intrusive::tag<ArrivedTag>>;
using LiveHook = boost::intrusive::list_base_hook<AutoUnlink, boost::intrusive::tag<LiveTag>>;

/// One request and its answer on an HTTP/2 connection.
class ServerStreamH2 final : public http::ServerStream,
                             private http::BodySource,
                             public Stream,
                             public LiveHook,
                             public ArrivedHook,
                             public Pooled {
  public:
    ServerStreamH2(ServerConnection& connection, const ServerLimits& limits,
                   http::StreamFacts& facts);
    ~ServerStreamH2() override;

    [[nodiscard]] http::RequestHead& head() noexcept override { return head_; }
    [[nodiscard]] const Error* refused() const noexcept override {
        if (reader_.refused()) return &*reader_.refused();
        return broke_unseen_ ? &failure() : nullptr;
    }
    [[nodiscard]] http::BodySource& body() noexcept override { return *this; }
    [[nodiscard]] const http::StreamFacts& facts() const noexcept override { return facts_; }

    Task<Result<void>> send_informational(const http::ResponseHead& head) override;
    Task<Result<void>> send_head(const http::ResponseHead& head,
                                 http::SendOptions options) override;
    Task<Result<void>> send(std::string_view data, http::SendOptions options) override;
    void reset(const Error& why) noexcept override;
    Task<Result<std::unique_ptr<http::Tunnel>>> upgrade(const http::ResponseHead& head) override;

    void set_send_buffer(std::size_t bytes) noexcept override { Stream::set_send_buffer(bytes); }
    void set_send_timeout(std::chrono::milliseconds limit) noexcept override {
        set_send_limit(limit);
    }
    void set_max_body(std::uint64_t bytes) noexcept override { Stream::set_max_body(bytes); }
    void close_after() noexcept override;
    void set_abort_listener(http::AbortListener* listener) noexcept override {
        listener_ = listener;
    }
    [[nodiscard]] std::uint64_t bytes_received() const noexcept override {
        return reader_.bytes() + received();
    }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept override {
        return head_bytes_sent() + body_sent_;
    }
    [[nodiscard]] std::uint64_t body_bytes_sent() const noexcept override { return body_sent_; }

    /// The connection ends and takes the stream, which nobody has seen, with it.
    void closed_by_connection() { lose(Error(Reason::client_closed, Source::downstream)); }
    /// The head is complete: it may be handed out.
    [[nodiscard]] bool complete() const noexcept { return head_done_; }

  private:
    friend class ServerConnection;
    friend class StreamTunnel;

    // SessionStream
    ErrorCode on_field(std::string_view name, std::string_view value) override;
    ErrorCode on_fields_end(bool end_of_stream) override;
    void on_closed(ErrorCode code, bool by_peer) override;
    // Stream
    void on_broken() override;
    // BodySource
    Task<Result<http::BodyPart>> read(std::size_t max) override;
    [[nodiscard]] bool ready() const noexcept override { return body_ready(); }
    void stop(http::StopReason) noexcept override { interrupt(); }

    Task<Result<http::BodyPart>> read_after_continue(std::size_t max);
    bool submit(const http::ResponseHead& head, bool body);

    ServerConnection& server_;
    const ServerLimits& limits_;
    http::StreamFacts& facts_;
    Arena text_;
    http::RequestHead head_;
    RequestReader reader_;
    http::HeaderMap trailers_;
    std::size_t trailer_bytes_ = 0;
    http::AbortListener* listener_ = nullptr;
    std::uint64_t body_sent_ = 0;
    bool handed_out_ = false;    ///< else the connection owns it
    bool broke_unseen_ = false;  ///< before it was handed out: there is only a line to write
    bool head_done_ = false, head_sent_ = false, continue_owed_ = false;
};

}  // namespace proxyd::codec::h2
