#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::http {

/// A piece of a body. `data` is a view into the source's buffer, valid until the next call on the
/// source. `end` says that nothing follows but the trailers (usually none).
struct BodyPart {
    std::string_view data;
    bool end = false;
    const HeaderMap* trailers = nullptr;  ///< only with `end`; null when there are none
};

enum class StopReason : std::uint8_t { finished, canceled, failed };

/// The body of a message that is being received. Pull = back-pressure: nothing more is taken off
/// the network than the codec's buffer holds while nobody reads.
class BodySource {
  public:
    virtual ~BodySource() = default;
    /// At most `max` bytes; suspends until at least one byte or the end is there. After `end`
    /// it must not be called again. An error means the body was cut: it is never complete.
    virtual Task<Result<BodyPart>> read(std::size_t max) = 0;
    /// Whether read() would return without waiting. The writer flushes before it waits.
    [[nodiscard]] virtual bool ready() const noexcept = 0;
    /// The reader lost interest; the codec drains or closes as its protocol demands.
    virtual void stop(StopReason why) noexcept = 0;
};

/// A byte pipe after an upgrade (RFC 9110 7.8; RFC 8441). Each direction ends by itself.
class Tunnel {
  public:
    virtual ~Tunnel() = default;
    /// Next bytes (view valid until the next read); empty = the peer finished sending.
    virtual Task<Result<std::string_view>> read() = 0;
    virtual Task<Result<void>> write(std::string_view bytes) = 0;
    /// Half-close: we have nothing more to send.
    virtual void finish() noexcept = 0;
    /// Cuts both directions; pending calls return an error.
    virtual void abort(Error why) noexcept = 0;
};

/// What TLS says of a connection, as the variables show it; "" = not known or not sent.
struct TlsFacts {
    std::string_view protocol;     ///< "TLSv1.3"
    std::string_view cipher;       ///< "TLS_AES_128_GCM_SHA256"
    std::string_view curve;        ///< "X25519"
    std::string_view alpn;         ///< "h2"
    std::string_view server_name;  ///< SNI
    bool session_reused = false;
    /// Of the certificates and settings that served the handshake: config::HostTls::identity.
    std::string_view identity;
    std::string_view client_verify;  ///< "NONE", "SUCCESS", "FAILED:reason"; "" = not asked for
    // Of the client's certificate, as nginx shows them
    std::string_view client_subject, client_issuer;  ///< RFC 2253
    std::string_view client_serial, client_fingerprint;  ///< hexadecimal
    std::string_view client_not_before, client_not_after;
    std::string_view client_certificate;  ///< PEM, percent-encoded
};

/// What the layers above the codec may know of the connection that carries a stream.
struct StreamFacts {
    std::string_view remote_address;  ///< text, no port; "unix:" for unix sockets
    std::uint16_t remote_port = 0;
    /// Of the socket; another than remote_address where a PROXY header named the client.
    std::string_view socket_address;
    std::string_view proxy_protocol_address;  ///< as a PROXY header named it; "" without
    std::uint16_t proxy_protocol_port = 0;
    std::string_view local_address;
    std::uint16_t local_port = 0;
    std::string_view listener;  ///< name of the listener
    std::uint64_t connection_id = 0;
    /// Milliseconds of the loop's clock: client.header_timeout of the first request counts from it.
    std::int64_t connected_at = 0;
    std::uint64_t requests_before = 0;  ///< on this connection
    bool secure = false;
    const TlsFacts* tls = nullptr;  ///< null without TLS
    bool loopback_client = false;
};

/// Calls a listener back when the client is gone while an exchange runs.
class AbortListener {
  public:
    virtual void on_abort(const Error& why) = 0;

  protected:
    ~AbortListener() = default;
};

struct SendOptions {
    bool end = false;    ///< this is all
    bool flush = false;  ///< hand to the kernel now, do not wait for more
    const HeaderMap* trailers = nullptr;  ///< only with end
};

/// The server's end of one exchange. One owner (the exchange), the connection's thread. Finished
/// or reset exactly once; the destructor of an unfinished stream resets it.
class ServerStream {
  public:
    virtual ~ServerStream() = default;
    [[nodiscard]] virtual RequestHead& head() noexcept = 0;
    /// Set when the head was refused by the codec: head() then holds what could be read of it,
    /// there is no body, and the only thing to do is a local answer.
    [[nodiscard]] virtual const Error* refused() const noexcept = 0;
    [[nodiscard]] virtual BodySource& body() noexcept = 0;
    [[nodiscard]] virtual const StreamFacts& facts() const noexcept = 0;

    /// 100 or another 1xx (not 101), at once.
    virtual Task<Result<void>> send_informational(const ResponseHead& head) = 0;
    /// Queues the final head; it leaves with the first body bytes, or at once when `end`.
    /// Framing is decided by head.framing; the codec adds what its version needs.
    virtual Task<Result<void>> send_head(const ResponseHead& head, SendOptions options) = 0;
    /// Body bytes; returns when the codec has taken them: sent, or copied while less than
    /// set_send_buffer() bytes wait.
    virtual Task<Result<void>> send(std::string_view data, SendOptions options) = 0;
    /// The answer broke off: the client must see that it is not complete.
    virtual void reset(const Error& why) noexcept = 0;
    /// Sends the 101 (h2: 200) with head's fields; the stream is then finished by its tunnel.
    virtual Task<Result<std::unique_ptr<Tunnel>>> upgrade(const ResponseHead& head) = 0;

    /// How much of the answer may wait for a slow client before send() suspends. Default 0.
    virtual void set_send_buffer(std::size_t bytes) noexcept = 0;
    virtual void set_send_timeout(std::chrono::milliseconds limit) noexcept = 0;
    virtual void set_max_body(std::uint64_t bytes) noexcept = 0;
    /// The connection closes after this exchange.
    virtual void close_after() noexcept = 0;
    /// Not owned; null to forget it.
    virtual void set_abort_listener(AbortListener* listener) noexcept = 0;
    /// Of this request so far: head and decoded body.
    [[nodiscard]] virtual std::uint64_t bytes_received() const noexcept = 0;
    /// Bytes handed to the kernel or queued for this answer: head included / body only.
    [[nodiscard]] virtual std::uint64_t bytes_sent() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t body_bytes_sent() const noexcept = 0;
};

struct ClientTimeouts {
    std::chrono::milliseconds send{60'000};
    std::chrono::milliseconds read{300'000};
};

/// The client's end of one exchange with a peer. Same rules of ownership as ServerStream.
class ClientStream {
  public:
    virtual ~ClientStream() = default;
    virtual void set_timeouts(ClientTimeouts timeouts) noexcept = 0;
    /// As ServerStream::send_head and send, without a send buffer.
    virtual Task<Result<void>> send_head(const RequestHead& head, SendOptions options) = 0;
    virtual Task<Result<void>> send(std::string_view data, SendOptions options) = 0;
    /// The next head, 1xx included (101 only when the request asked for an upgrade). Owned by the
    /// stream, valid until the next call.
    virtual Task<Result<ResponseHead*>> read_head() = 0;
    [[nodiscard]] virtual BodySource& body() noexcept = 0;
    /// After a 101.
    virtual std::unique_ptr<Tunnel> upgrade() = 0;
    /// Gives the stream up; pending calls return `why`. The connection is not used again.
    virtual void reset(const Error& why) noexcept = 0;
    /// The connection had carried an exchange before this one.
    [[nodiscard]] virtual bool reused() const noexcept = 0;
};

}  // namespace proxyd::http
