#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "output.hpp"
#include "proxyd/http/header_map.hpp"

struct nghttp2_session;

namespace proxyd::codec::h2 {

/// RFC 9113 7.
enum class ErrorCode : std::uint32_t {
    no_error = 0,
    protocol_error = 1,
    internal_error = 2,
    flow_control_error = 3,
    settings_timeout = 4,
    stream_closed = 5,
    frame_size_error = 6,
    refused_stream = 7,
    cancel = 8,
    compression_error = 9,
    connect_error = 10,
    enhance_your_calm = 11,
    inadequate_security = 12,
    http_1_1_required = 13,
};

/// "PROTOCOL_ERROR"; for the log.
[[nodiscard]] std::string_view name_of(ErrorCode code) noexcept;

/// What a session tells of one stream, and asks of it. All of it happens inside Session::receive()
/// and Session::produce(): from there a stream may submit, resume, reset and consume, but neither
/// receive nor produce, nor wake whoever might.
class SessionStream {
  public:
    /// One field of a head, of a 1xx or of the trailers; pseudo-fields begin with ':'. The views
    /// end with the call. Anything but no_error resets the stream.
    virtual ErrorCode on_field(std::string_view name, std::string_view value) = 0;
    /// That block of fields is complete. Anything but no_error resets the stream.
    virtual ErrorCode on_fields_end(bool end_of_stream) = 0;
    /// Never empty. The session counts it as unconsumed until consume_stream().
    virtual void on_data(std::string_view data) = 0;
    /// The peer's side of the stream is complete.
    virtual void on_end() = 0;
    /// The last one: the session has forgotten the stream. `by_peer`: it sent RST_STREAM.
    virtual void on_closed(ErrorCode code, bool by_peer) = 0;

    struct Supply {
        std::size_t bytes = 0;
        bool end = false;  ///< nothing comes behind these bytes but the trailers
        const http::HeaderMap* trailers = nullptr;  ///< only with `end`
    };
    /// How much of the body can go out now, at most `max` bytes. Nothing and no end: it is asked
    /// again after Session::resume().
    virtual Supply supply(std::size_t max) = 0;
    /// Copies so many bytes, as promised by supply(), and takes them as sent.
    virtual void take(char* into, std::size_t bytes) = 0;
    /// HEADERS or DATA with so many bytes went to the output; `end`: our side is complete.
    virtual void on_frame_sent(bool data, std::size_t bytes, bool end) = 0;

    [[nodiscard]] std::int32_t id() const noexcept { return id_; }

  protected:
    ~SessionStream() = default;

  private:
    friend class Session;
    std::int32_t id_ = 0;
};

/// RFC 9113 6; others have other numbers.
enum class FrameType : std::uint8_t {
    data = 0,
    headers = 1,
    rst_stream = 3,
    ping = 6,
    goaway = 7,
    window_update = 8,
};

/// What the guard counts.
struct FrameHead {
    FrameType type = FrameType::data;
    std::uint8_t flags = 0;
    [[nodiscard]] bool ends_stream() const noexcept {
        return (flags & 1U) != 0 && (type == FrameType::data || type == FrameType::headers);
    }
    std::int32_t stream = 0;
    std::size_t length = 0;
};

/// Hears of the connection's own affairs; the rules of SessionStream hold.
class SessionOwner {
  public:
    /// Servers: a request begins. Null refuses it (REFUSED_STREAM, safe to send again).
    virtual SessionStream* on_opened(std::int32_t id) = 0;
    /// Each frame as its head arrives. False ends the session with ENHANCE_YOUR_CALM.
    virtual bool on_frame(const FrameHead& frame) = 0;
    /// A frame went to the output.
    virtual void on_frame_sent(const FrameHead& frame) = 0;
    /// The peer's SETTINGS have been taken over (not the acknowledgement of ours).
    virtual void on_settings() = 0;
    /// Streams above `last` were closed with refused_stream: the peer never looked at them.
    virtual void on_goaway(std::int32_t last, ErrorCode code) = 0;
    virtual void on_pong() = 0;

  protected:
    ~SessionOwner() = default;
};

/// The home of nghttp2: one connection's frames, field compression, windows and states of streams,
/// without any I/O. Owned by the connection. The connection's window opens again on receipt, so
/// that no stream holds up another; a stream's by consume_stream().
class Session {
  public:
    enum class Side : std::uint8_t { client, server };
    Session(Side side, SessionOwner& owner);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // The connection --------------------------------------------------------------------------
    struct Settings {
        std::uint32_t max_concurrent_streams = 0;  ///< that the peer may open
        std::uint32_t stream_window = 65'535;
        std::uint32_t connection_window = 65'535;
        std::uint32_t max_header_list = 0;  ///< 0 = not said
    };
    /// First thing of all. Clients forbid pushes, servers allow extended CONNECT.
    void start(const Settings& settings);
    /// Takes what came. What is wrong with it leads to a GOAWAY and over().
    void receive(std::string_view bytes);
    /// Writes what there is to send, until about `most` bytes lie in `out`.
    void produce(Output& out, std::size_t most);
    /// Nothing will be received any more: after a violation, or when all is said.
    [[nodiscard]] bool over() const noexcept;
    /// Frames that wait for produce(), DATA aside.
    [[nodiscard]] std::size_t queued_frames() const noexcept;
    /// What the peer did wrong, in words; empty when nothing.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    /// Of the last GOAWAY that went to the output; no_error without one.
    [[nodiscard]] ErrorCode goaway_sent() const noexcept { return goaway_sent_; }
    /// GOAWAY that only announces the end: streams may still come.
    void announce_end();
    /// The final GOAWAY: streams that begin from now on are not looked at.
    void go_away(ErrorCode code);
    /// The final GOAWAY, and every open stream is cut.
    void terminate(ErrorCode code);
    void ping();

    // Streams ---------------------------------------------------------------------------------
    /// The peer takes one more stream now (clients).
    [[nodiscard]] bool may_open() const noexcept;
    /// SETTINGS_MAX_CONCURRENT_STREAMS of the peer.
    [[nodiscard]] std::uint32_t peer_max_streams() const noexcept;
    [[nodiscard]] bool peer_allows_extended_connect() const noexcept;
    /// The peer takes more DATA of the stream than it was sent.
    [[nodiscard]] bool has_window(std::int32_t stream) const noexcept;

    /// `first` are the pseudo-fields and whatever replaces a field of the map; connection-specific
    /// fields and Content-Length of the map are left out, names become lower-case. Everything is
    /// copied. `body`: supply() is asked for it.
    bool submit_request(SessionStream& stream, std::span<const http::Field> first,
                        const http::HeaderMap& fields, bool body);
    bool submit_response(SessionStream& stream, std::span<const http::Field> first,
                         const http::HeaderMap& fields, bool body);
    bool submit_informational(SessionStream& stream, std::span<const http::Field> first,
                              const http::HeaderMap& fields);
    /// supply() has something again.
    void resume(SessionStream& stream);
    void reset(SessionStream& stream, ErrorCode code);
    /// `heir` gets what `stream` would have got.
    void replace(SessionStream& stream, SessionStream& heir);
    /// Nobody gets it: for a stream object that ends first.
    void forget(SessionStream& stream);
    /// Bytes of on_data() that are out of the way: the stream's window opens again.
    void consume_stream(SessionStream& stream, std::size_t bytes);

  private:
    struct Callbacks;
    struct Deleter {
        void operator()(nghttp2_session* session) const noexcept;
    };

    SessionOwner& owner_;
    Side side_;
    bool flooded_ = false;
    ErrorCode goaway_sent_ = ErrorCode::no_error;
    std::int32_t reset_by_peer_ = 0;  ///< the stream of the frame in hand
    std::unique_ptr<nghttp2_session, Deleter> session_;
    std::string problem_;
    Output* out_ = nullptr;  ///< inside produce()
    std::size_t out_most_ = 0;
};

}  // namespace proxyd::codec::h2
