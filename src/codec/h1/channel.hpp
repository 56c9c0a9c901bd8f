#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "codec/connection_error.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/base/block.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/base/lifetime.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/transport.hpp"

namespace proxyd::codec::h1 {

/// Hears what nobody is waiting for. Called last in a handler: may destroy the channel.
class ChannelListener {
  public:
    virtual void on_unexpected_input() = 0;  ///< bytes came while no fill() was pending
    virtual void on_input_end() = 0;  ///< EOF, an error or a failure while no fill() was pending
    virtual void on_timer() = 0;      ///< nobody filled for the time of watch()

  protected:
    ~ChannelListener() = default;
};

/// The buffered byte pipe under an HTTP/1 connection: a standing read into one block, an output
/// buffer for what the kernel does not take, a deadline for each direction. Owned by the
/// connection, one thread. After fail() every wait returns at once and failure() says why.
class Channel final : public net::TransportObserver, private async::BatchMember {
  public:
    Channel(async::Loop& loop, net::TransportPtr transport, ChannelListener& listener, Source side,
            std::size_t block_bytes);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();

    // Input ------------------------------------------------------------------------------------
    [[nodiscard]] std::string_view unread() const noexcept {
        return {block_.data() + begin_, end_ - begin_};
    }
    [[nodiscard]] char* unread_data() noexcept { return block_.data() + begin_; }
    void consume(std::size_t bytes) noexcept { begin_ += static_cast<std::uint32_t>(bytes); }
    /// Bytes before the read position stay where they are until unpin(): views point at them.
    void pin() noexcept { pin_ = begin_; }
    /// What is not in use goes back: an idle connection holds no buffer, and the next one to have
    /// bytes gets one that is still in the processor's cache.
    void unpin() noexcept;
    /// Blocks of at least `bytes` from the next refill on (long heads, bulk bodies).
    void want(std::size_t bytes) noexcept {
        block_bytes_ = std::max(block_bytes_, static_cast<std::uint32_t>(bytes));
    }
    [[nodiscard]] std::size_t block_size() const noexcept { return block_bytes_; }
    /// EOF or an error was received; unread() may still hold bytes.
    [[nodiscard]] bool input_ended() const noexcept { return input_ended_; }
    [[nodiscard]] const net::ErrorCode& input_error() const noexcept { return input_error_; }
    /// More bytes are probably in the kernel: the last read filled its room.
    [[nodiscard]] bool more_likely() const noexcept { return last_read_full_; }
    enum class Fill : std::uint8_t { more, late, closed, interrupted };
    /// What fill() is awaited through. No coroutine of its own: idle connections wait in it.
    class Filling {
      public:
        explicit Filling(Fill known) noexcept : known_(known) {}
        explicit Filling(Channel& channel) noexcept : channel_(&channel) {}
        [[nodiscard]] bool await_ready() const noexcept { return channel_ == nullptr; }
        void await_suspend(std::coroutine_handle<> reader) const noexcept {
            channel_->reader_.wait().await_suspend(reader);
        }
        [[nodiscard]] Fill await_resume() const {
            return channel_ != nullptr ? channel_->filled() : known_;
        }

      private:
        Channel* channel_ = nullptr;  ///< null: nothing to wait for
        Fill known_ = Fill::more;
    };
    /// `more`: unread() has grown or the input ended; `late`: nothing came for `limit` (0 = none);
    /// `closed`: the channel failed; `interrupted`: see there.
    /// `inside`: part of a message is here already. Then the kernel is asked once more before
    /// waiting, because an end that came together with the last bytes raises no further event.
    Filling fill(std::chrono::milliseconds limit, bool inside);
    /// A pending fill() returns at once; nothing else changes.
    void interrupt();
    [[nodiscard]] bool filling() const noexcept { return reader_.waiting(); }
    /// Bytes that were read of the transport before; at first, and no more than a block.
    void preload(std::string_view bytes);
    /// Starts the standing read where it is missing and there is room.
    void arm();

    // Output -----------------------------------------------------------------------------------
    /// What the next flush sends first; append to it.
    [[nodiscard]] std::string& out() {
        if (out_.capacity() < kUsualOutput) take_output();
        return out_;
    }
    /// Sends out(), body and tail in one gather write; copies what the kernel does not take. On a
    /// busy loop little waits for the end of the batch of events, which is near.
    /// False: the transport broke, and the channel failed.
    bool flush(std::string_view body = {}, std::string_view tail = {});
    /// The kernel did not take all that was sent.
    [[nodiscard]] bool blocked() const noexcept { return write_waiting_; }
    /// What waits for the end of the batch goes now.
    void send_collected() {
        if (is_linked()) (void)send_now();
    }
    [[nodiscard]] std::size_t queued() const noexcept { return out_.size() - out_sent_; }
    /// Returns true when at most `bytes` are blocked, false when the channel failed. The send
    /// deadline runs while anything is queued and starts anew with each progress.
    Task<bool> drained(std::size_t bytes);
    /// Half-close, after what is queued.
    void finish_output() noexcept;
    /// For what is queued now and later.
    void set_send_limit(std::chrono::milliseconds limit, Reason late);

    // State ------------------------------------------------------------------------------------
    /// on_timer() when nobody filled for so long; 0 = never.
    void watch(std::chrono::milliseconds after) {
        watch_ = after;
        if (!reader_.waiting()) read_deadline_.arm(after);
    }
    /// Asks the kernel whether the peer has left: an end that came together with the last bytes
    /// that were read raises no event of its own. Told by on_input_end().
    void look();
    /// Sending is over; closed() tells whether receiving is, too.
    [[nodiscard]] bool failed() const noexcept { return failure_ != nullptr; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] const Error& failure() const noexcept { return *failure_; }
    /// Closes the transport and wakes whoever waits (last action: may destroy the channel).
    /// `hard`: with RST.
    void fail(Error why, bool hard = false);
    [[nodiscard]] net::Transport& transport() noexcept { return *transport_; }
    [[nodiscard]] async::Loop& loop() const noexcept { return loop_; }

  private:
    void at_end_of_batch() override;
    std::span<char> read_room() override;
    void read_landed(std::size_t bytes) override;
    void on_read(const net::ErrorCode& error) override;
    void on_writable(const net::ErrorCode& error) override;
    Fill filled();
    void look_for_end();
    Task<bool> drained_slow(std::size_t bytes);
    bool read_now();
    void make_room();
    void input_arrived(const net::ErrorCode& error);
    void end_input(const net::ErrorCode& error);
    bool send_now(std::string_view body = {}, std::string_view tail = {});
    bool send_failed(const net::ErrorCode& error);
    void tell_of_failed_output();
    void arm_send_deadline();
    void compact_output();
    void take_output();
    void drop_output() noexcept;

    static constexpr std::size_t kUsualOutput = 4096;

    async::Loop& loop_;
    net::TransportPtr transport_;
    ChannelListener* listener_;
    Lifetime lifetime_;

    Block block_;
    Block held_;  ///< pinned bytes whose block was replaced
    std::uint32_t begin_ = 0, end_ = 0, pin_ = 0, armed_room_ = 0;  ///< within the block
    std::uint32_t block_bytes_;
    std::uint32_t writer_limit_ = 0;
    bool armed_ = false, input_ended_ = false, last_read_full_ = false;
    bool write_waiting_ = false, closed_ = false, finish_when_sent_ = false;
    Fill outcome_ = Fill::more;  ///< why the reader was woken
    Source side_;
    Reason send_late_ = Reason::client_timeout_send;
    net::ErrorCode input_error_;
    Event reader_, writer_;

    std::string out_;
    std::size_t out_sent_ = 0;
    std::chrono::milliseconds send_limit_{0}, watch_{0};
    std::unique_ptr<Error> failure_;
    async::Deadline read_deadline_;
    std::unique_ptr<async::Deadline> send_deadline_;  ///< while something is queued
};

}  // namespace proxyd::codec::h1
