#pragma once

#include <sys/uio.h>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <span>

#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

using ErrorCode = boost::system::error_code;

/// Hears of the operations that it armed. Called on the loop's thread, never inside the arming
/// call; may destroy itself and the transport.
class TransportObserver {
  public:
    /// Bytes are there: where they go. Not empty while a read is armed. Inside the reactor: nothing
    /// may be called from here.
    virtual std::span<char> read_room() = 0;
    /// So many bytes are in that room now (0: it is not needed). Inside the reactor too.
    virtual void read_landed(std::size_t bytes) = 0;
    /// The armed read is over: bytes have landed, or `error` (asio::error::eof at the end).
    virtual void on_read(const ErrorCode& error) = 0;
    virtual void on_writable(const ErrorCode& error) = 0;

  protected:
    ~TransportObserver() = default;
};

struct SendResult {
    std::size_t bytes = 0;  ///< taken by the kernel; fewer than given = wait_write() and go on
    ErrorCode error;        ///< set: the transport is broken
};

/// A byte pipe. One observer, one thread. Pending operations keep the object alive by reference;
/// after close() or detach() the observer hears nothing more.
class Transport
    : public boost::intrusive_ref_counter<Transport, boost::thread_unsafe_counter> {
  public:
    virtual ~Transport() = default;
    /// Null detaches.
    void observe(TransportObserver* observer) noexcept { observer_ = observer; }

    /// The standing read: one at a time. It costs no system call and holds no buffer until bytes
    /// arrive.
    virtual void start_read() = 0;
    /// Reads now, without waiting. Our observer asks only while no read is armed; a transport above
    /// may at any time, the armed read then waits on. would_block is an error code here.
    virtual SendResult read_now(char* into, std::size_t room) = 0;
    virtual SendResult send(std::span<const iovec> pieces) = 0;
    virtual void wait_write() = 0;
    virtual void shutdown_send() noexcept = 0;
    virtual void close() noexcept = 0;
    /// Close with RST: what was sent last must not look like an orderly end.
    virtual void abort() noexcept = 0;
    /// Whether the peer already closed or sent something, as far as the kernel knows (one system
    /// call). For a pooled connection that must not fail.
    [[nodiscard]] virtual bool quiet() const noexcept = 0;
    /// eof or the error when the peer has finished sending and nothing is left to read; none while
    /// there is or may be more (one system call).
    [[nodiscard]] virtual ErrorCode ended() const noexcept = 0;
    /// The same, whatever is left to read.
    [[nodiscard]] virtual ErrorCode left() const noexcept = 0;
    /// Bytes in the kernel that the peer has not acknowledged (one system call).
    [[nodiscard]] virtual std::size_t untaken() const noexcept = 0;

  protected:
    TransportObserver* observer_ = nullptr;
};
using TransportPtr = boost::intrusive_ptr<Transport>;

}  // namespace proxyd::net
