#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace proxyd::test {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::milliseconds;

// How long a test waits for something that must happen. Generous: a loaded machine or a sanitizer
// build is slow, and a wait that ends early costs nothing.
inline constexpr Duration kLimit{15'000};

class Deadline {
  public:
    explicit Deadline(Duration limit) : at_(Clock::now() + limit) {}

    [[nodiscard]] int left_ms() const;
    [[nodiscard]] bool passed() const { return left_ms() == 0; }

  private:
    Clock::time_point at_;
};

enum class IoStatus { Ok, Eof, Reset, Timeout };

std::string_view to_text(IoStatus status);

// Something between a wire and its socket (TLS). As recv(2) and send(2) on a socket that does not
// block: errno EAGAIN, 0 at the end.
class WireLayer {
  public:
    virtual ~WireLayer() = default;
    virtual ssize_t receive(char* into, std::size_t most) = 0;
    virtual ssize_t send(std::string_view bytes) = 0;
    virtual void finish() = 0;  // an orderly end of what is sent
};

// One connected stream socket with a receive buffer. Every operation has a limit.
// Owned by one thread; only interrupt() may be called from another one.
class Wire {
  public:
    Wire() = default;
    explicit Wire(int fd);
    ~Wire();
    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&& other) noexcept;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    // Sends all bytes, or says why not; sent() counts what the kernel took.
    IoStatus send(std::string_view bytes, Duration limit = kLimit);
    [[nodiscard]] std::size_t sent() const { return sent_; }

    // Waits for bytes and appends them to the buffer.
    IoStatus fill(const Deadline& deadline, std::size_t most = 65'536);
    // Waits until the peer closed or reset; bytes that come before are thrown away.
    IoStatus wait_for_close(Duration limit = kLimit);
    // Waits until the peer closed, reset or sent bytes (which stay unread).
    IoStatus wait_for_event(Duration limit);

    [[nodiscard]] std::string_view view() const;
    void consume(std::size_t count);

    void half_close() const;
    void reset();
    void close();
    void interrupt() const;
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }
    void set_layer(std::unique_ptr<WireLayer> layer) { layer_ = std::move(layer); }

  private:
    ssize_t receive(char* into, std::size_t most) const;

    int fd_ = -1;
    std::unique_ptr<WireLayer> layer_;  // null = none
    std::string buffer_;
    std::size_t start_ = 0;
    std::size_t sent_ = 0;
};

}  // namespace proxyd::test
