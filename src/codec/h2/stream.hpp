#pragma once

#include "codec/body_time.hpp"
#include "connection.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec::h2 {

/// Both directions of one stream, as either side needs them: a body that is received and pulled,
/// a body that is sent as far as windows and wire allow. The window opens again when the reader
/// has taken the bytes. Owned by its user; what is unsent when it ends is sent on by the
/// connection, what is unfinished resets the stream.
class Stream : public SessionStream, public WakeHook {
  public:
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Called by the connection, outside the session: wakes whoever can go on. May destroy it.
    void wake();
    /// The connection is lost. Waiters hear of it with the next wake().
    void lose(const Error& why);

  protected:
    Stream(Connection& connection, Source side, ErrorCode unfinished);
    ~Stream();

    // SessionStream; the fields are the derived class's
    void on_data(std::string_view data) override;
    void on_end() override;
    void on_closed(ErrorCode code, bool by_peer) override;
    Supply supply(std::size_t max) override;
    void take(char* into, std::size_t bytes) override;
    void on_frame_sent(bool data, std::size_t bytes, bool end) override;
    /// Something was received that wait_input() waits for: a head, trailers.
    void input_changed();
    /// The stream broke by no act of its user; outside the session. May destroy it.
    virtual void on_broken() = 0;

    // Receiving -------------------------------------------------------------------------------
    Task<Result<http::BodyPart>> read_body(std::size_t max, std::chrono::milliseconds limit);
    [[nodiscard]] bool body_ready() const noexcept {
        return input_ended_ || failed() || !in_.empty() || loan_.size() > loaned_;
    }
    /// Whether a part of the body waits.
    [[nodiscard]] bool input_ended() const noexcept { return input_ended_; }
    enum class Wait : std::uint8_t { changed, late, interrupted };
    /// Until input_changed(), data, the end or a failure; `limit` 0 = for ever.
    Task<Wait> wait_input(std::chrono::milliseconds limit);
    /// A pending wait_input() or read_body() returns now: may destroy the stream.
    void interrupt();
    void set_max_body(std::uint64_t bytes) noexcept { max_body_ = bytes; }
    void set_min_rate(std::uint64_t bytes) noexcept { time_.set_min_rate(bytes); }
    void set_trailers(const http::HeaderMap* trailers) noexcept { in_trailers_ = trailers; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

    // Sending ---------------------------------------------------------------------------------
    /// Returns when the bytes are in the output, or kept while at most send_buffer wait.
    Task<Result<void>> send_body(std::string_view data, http::SendOptions options);
    /// Nothing will be added; for what ends otherwise than by send_body().
    void end_body() noexcept { out_.end = true; }
    void set_send_buffer(std::size_t bytes) noexcept { send_buffer_ = bytes; }
    void set_send_limit(std::chrono::milliseconds limit) noexcept { send_limit_ = limit; }
    [[nodiscard]] bool ended() const noexcept { return out_.end; }
    [[nodiscard]] std::uint64_t head_bytes_sent() const noexcept { return head_sent_; }

    // State -----------------------------------------------------------------------------------
    [[nodiscard]] bool failed() const noexcept { return failure_ != nullptr; }
    [[nodiscard]] const Error& failure() const noexcept { return *failure_; }
    /// The session knows the stream no more.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// By cut().
    [[nodiscard]] bool was_cut() const noexcept { return cut_; }
    /// Cuts the stream; whoever waits gets `why` now. May destroy the stream.
    void cut(const Error& why, ErrorCode code);
    [[nodiscard]] Connection& connection() noexcept { return connection_; }
    /// It broke; waiters hear of it with the next wake().
    void break_with(Error why);

  private:
    [[nodiscard]] Result<http::BodyPart> take_part(std::size_t max);
    Task<Result<http::BodyPart>> read_slow(std::size_t max, std::chrono::milliseconds limit);
    void release_loan();
    [[nodiscard]] Result<void> settled();
    [[nodiscard]] bool may_go_on() const noexcept {
        return failed() || out_.pending.empty() || out_.waiting() <= send_buffer_;
    }
    Task<Result<void>> send_slow();

    Connection& connection_;
    Lifetime lifetime_;
    const Source side_;
    const ErrorCode unfinished_;
    bool closed_ = false, input_ended_ = false, end_sent_ = false, cut_ = false;
    bool broken_untold_ = false, input_changed_ = false;
    Wait outcome_ = Wait::changed;
    std::unique_ptr<Error> failure_;

    Output in_;    ///< received, nobody looked at it yet
    Output loan_;  ///< being handed out
    std::size_t loaned_ = 0;
    const http::HeaderMap* in_trailers_ = nullptr;
    std::uint64_t received_ = 0, max_body_ = UINT64_MAX;
    BodyTime time_{side_};
    Event reader_;
    async::Deadline input_late_;

    Outflow out_;
    std::size_t send_buffer_ = 0;
    std::chrono::milliseconds send_limit_{0};
    std::uint64_t head_sent_ = 0;
    Event writer_;
    async::Deadline output_late_;
};

}  // namespace proxyd::codec::h2
