#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>

#include "byte_queue.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::net::tls {

struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

class TlsTransport;

/// Hears of a handshake; last action of the transport.
class HandshakeListener {
  public:
    /// Something came for it: go_on() now or later.
    virtual void on_handshake_input(TlsTransport& transport);
    /// It is over.
    virtual void on_handshake(const ErrorCode& error) = 0;

  protected:
    ~HandshakeListener() = default;
};

/// TLS over another transport, as client or as server (the state of `ssl` says which). OpenSSL
/// reads from and writes to our queues only; what moves bytes is the transport below. Many records
/// go into one send. One thread; pending operations keep it alive.
class TlsTransport final : public Transport, private TransportObserver {
  public:
    TlsTransport(async::Loop& loop, TransportPtr below, SslPtr ssl);
    ~TlsTransport() override;

    /// As client, before anything else. `listener` may be called from here.
    void handshake(HandshakeListener& listener);
    /// As server, before anything else: waits for what the client begins with.
    void await_handshake(HandshakeListener& listener);
    void go_on();
    void forget_listener() noexcept { listener_ = nullptr; }
    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
    [[nodiscard]] Transport& below() const noexcept { return *below_; }
    /// Bytes that OpenSSL has not taken yet.
    [[nodiscard]] std::string_view input() const noexcept { return {in_.data(), in_.size()}; }

    void start_read() override;
    SendResult read_now(char* into, std::size_t room) override;
    SendResult send(std::span<const iovec> pieces) override;
    void wait_write() override;
    void shutdown_send() noexcept override;
    void close() noexcept override;
    void abort() noexcept override;
    [[nodiscard]] bool quiet() const noexcept override;
    [[nodiscard]] ErrorCode ended() const noexcept override;
    [[nodiscard]] ErrorCode left() const noexcept override;
    [[nodiscard]] std::size_t untaken() const noexcept override;

  private:
    using Self = boost::intrusive_ptr<TlsTransport>;

    // TransportObserver of the transport below
    std::span<char> read_room() override;
    void read_landed(std::size_t bytes) override;
    void on_read(const ErrorCode& error) override;
    void on_writable(const ErrorCode& error) override;

    void finish_handshake(const ErrorCode& error);
    void deliver();
    void deliver_soon();
    std::size_t fetch(char* into, std::size_t room);
    std::size_t decrypt(char* into, std::size_t room);
    bool pull();
    [[nodiscard]] bool clogged() const noexcept;
    void wait_for_bytes();
    void wait_for_room();
    [[nodiscard]] bool peek();
    void note_failure(int result);
    std::size_t encrypt(std::span<const iovec> pieces, std::size_t skip);
    ErrorCode flush(std::size_t& sent);
    std::size_t settle(std::size_t sent) noexcept;
    void say_goodbye() noexcept;
    void let_go() noexcept;

    /// Ours, for one call: its bytes go through our queues, and no older error is taken for its.
    [[nodiscard]] SSL* at_work() noexcept;
    static BIO_METHOD* bio_method();
    static BIO* shared_bio();
    static int bio_read(BIO* bio, char* into, int size);
    static int bio_write(BIO* bio, const char* bytes, int size);
    static long bio_control(BIO* bio, int command, long number, void* pointer);

    async::Loop& loop_;
    TransportPtr below_;
    SslPtr ssl_;
    HandshakeListener* listener_ = nullptr;
    ByteQueue in_, out_;         ///< records as they came, and as they go
    std::uint32_t in_room_ = 0;  ///< of the last read below
    std::uint32_t owed_ = 0;     ///< bytes encrypted that send() has not owned up to
    ErrorCode below_ended_;      ///< nothing more comes from below
    ErrorCode end_;              ///< nothing more comes from OpenSSL
    bool handshaking_ = false, broken_ = false, closed_ = false;
    bool armed_ = false;        ///< our observer's read
    bool below_armed_ = false;  ///< the one below
    bool delivering_ = false;   ///< deliver() is posted
    bool more_below_ = false;   ///< the kernel may have bytes or an end that raise no event
    bool room_wanted_ = false;  ///< by our observer
    bool below_waits_ = false;  ///< for room
    bool finish_when_sent_ = false;
};

}  // namespace proxyd::net::tls
