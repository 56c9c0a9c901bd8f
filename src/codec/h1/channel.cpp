#include "channel.hpp"

#include <boost/asio/error.hpp>
#include <cstring>
#include <vector>

namespace proxyd::codec::h1 {
namespace {

/// Up to this much a copy is cheaper than a gather write.
constexpr std::size_t kCopyBytes = 2048;
/// More than that waits for no other.
constexpr std::size_t kCollectedBytes = 4096;
constexpr std::size_t kSmallCompaction = 4096;

/// Output buffers of the thread that nobody has anything in: what is written next goes where the
/// last was written, which the processor still has at hand.
constexpr std::size_t kSpareOutputs = 128;
thread_local std::vector<std::string> spare_outputs;

}  // namespace

Channel::Channel(async::Loop& loop, net::TransportPtr transport, ChannelListener& listener,
                 Source side, std::size_t block_bytes)
    : loop_(loop),
      transport_(std::move(transport)),
      listener_(&listener),
      block_bytes_(static_cast<std::uint32_t>(block_bytes)),
      side_(side),
      read_deadline_(
          loop.wheel(),
          [](void* self) {
              auto& channel = *static_cast<Channel*>(self);
              if (!channel.reader_.waiting()) return channel.listener_->on_timer();
              channel.outcome_ = Fill::late;
              channel.reader_.set();
          },
          this) {
    transport_->observe(this);
}

Channel::~Channel() {
    if (!closed_) send_collected();
    transport_->observe(nullptr);
    transport_->close();
}

// Input --------------------------------------------------------------------------------------

void Channel::unpin() noexcept {
    pin_ = 0;
    held_.release();
    if (begin_ == end_) {
        block_.release();
        begin_ = end_ = 0;
    }
}

/// Makes the room behind end_ as large as the block allows. Only while no read is armed.
void Channel::make_room() {
    if (!block_) {
        block_ = Block(block_bytes_);
        begin_ = end_ = pin_ = 0;
        return;
    }
    if (begin_ == end_ && block_.size() < block_bytes_) {
        if (pin_ != 0) held_ = std::move(block_);
        block_ = Block(block_bytes_);
        begin_ = end_ = pin_ = 0;
        return;
    }
    if (pin_ == 0 && block_.size() < block_bytes_ && end_ == block_.size()) {
        Block larger(block_bytes_);
        std::memcpy(larger.data(), block_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        block_ = std::move(larger);
        return;
    }
    if (begin_ == pin_) return;
    std::memmove(block_.data() + pin_, block_.data() + begin_, end_ - begin_);
    end_ -= begin_ - pin_;
    begin_ = pin_;
}

void Channel::preload(std::string_view bytes) {
    if (bytes.empty()) return;
    make_room();
    end_ = static_cast<std::uint32_t>(std::min(bytes.size(), block_.size()));
    std::memcpy(block_.data(), bytes.data(), end_);
    last_read_full_ = end_ == block_.size();
}

void Channel::arm() {
    if (armed_ || input_ended_ || closed_) return;
    if (block_ && begin_ == end_) make_room();
    if (block_ && end_ == block_.size()) return;
    armed_ = true;
    transport_->start_read();
}

std::span<char> Channel::read_room() {
    if (!block_ || begin_ == end_) make_room();
    armed_room_ = static_cast<std::uint32_t>(block_.size() - end_);
    return {block_.data() + end_, armed_room_};
}

void Channel::read_landed(std::size_t bytes) {
    end_ += static_cast<std::uint32_t>(bytes);
    last_read_full_ = bytes == armed_room_;
    if (begin_ != end_ || pin_ != 0) return;
    block_.release();
    begin_ = end_ = 0;
}

bool Channel::read_now() {
    make_room();
    const std::size_t room = block_.size() - end_;
    if (room == 0) return false;
    const net::SendResult got = transport_->read_now(block_.data() + end_, room);
    last_read_full_ = got.bytes == room;
    end_ += static_cast<std::uint32_t>(got.bytes);
    if (got.bytes != 0) return true;
    if (got.error == boost::asio::error::would_block ||
        got.error == boost::asio::error::interrupted) {
        return false;
    }
    input_ended_ = true;
    input_error_ = got.error;
    return true;
}

Channel::Filling Channel::fill(std::chrono::milliseconds limit, bool inside) {
    if (closed_) return Filling(Fill::closed);
    if (inside && armed_ && !input_ended_) look_for_end();
    if (input_ended_) return Filling(Fill::more);
    if (!armed_ && (last_read_full_ || inside) && read_now()) return Filling(Fill::more);
    if (!armed_) {
        if (block_) make_room();
        arm();
    }
    outcome_ = Fill::more;
    read_deadline_.arm(limit);
    reader_.clear();
    return Filling(*this);
}

Channel::Fill Channel::filled() {
    reader_.clear();
    read_deadline_.arm(watch_);
    return closed_ ? Fill::closed : outcome_;
}

/// While the standing read owns the place behind end_, only the end can be looked for; bytes that
/// come later raise their own event.
void Channel::look_for_end() {
    input_error_ = transport_->ended();
    input_ended_ = static_cast<bool>(input_error_);
}

void Channel::look() {
    arm();
    if (closed_ || input_ended_) return;
    if (const net::ErrorCode error = transport_->left()) return end_input(error);
    if (!armed_) read_deadline_.arm(watch_);  // no event will come: unread bytes fill the block
}

void Channel::interrupt() {
    if (!reader_.waiting()) return;
    outcome_ = Fill::interrupted;
    reader_.set();
}

void Channel::end_input(const net::ErrorCode& error) {
    input_ended_ = true;
    input_error_ = error;
    if (reader_.waiting()) return reader_.set();
    listener_->on_input_end();
}

void Channel::on_read(const net::ErrorCode& error) {
    async::Batch& batch = loop_.batch();
    input_arrived(error);
    batch.event_done();
}

/// May destroy the channel.
void Channel::input_arrived(const net::ErrorCode& error) {
    armed_ = false;
    if (closed_ || input_ended_) return;
    if (error) return end_input(error);

    const Lifetime::Watch here(lifetime_);
    if (reader_.waiting()) {
        if (pin_ == 0 && begin_ != 0 && end_ - begin_ <= kSmallCompaction) make_room();
        reader_.set();
    } else {
        listener_->on_unexpected_input();
    }
    if (here.ended()) return;
    if (last_read_full_) return;  // fill() goes on when somebody wants more
    arm();
}

// Output -------------------------------------------------------------------------------------

bool Channel::send_failed(const net::ErrorCode& error) {
    // The peer may have answered before it closed: what it sent is still worth reading, so only
    // the output is dead.
    drop_output();
    if (failed()) return false;
    failure_ = std::make_unique<Error>(connection_error(error, side_));
    return false;
}

bool Channel::flush(std::string_view body, std::string_view tail) {
    if (failed()) return false;
    const std::size_t bytes = queued() + body.size() + tail.size();
    if (bytes == 0) return true;
    if (bytes <= kCollectedBytes && !write_waiting_ && loop_.batch().collect(*this)) {
        out().append(body).append(tail);
        return true;
    }
    return send_now(body, tail);
}

void Channel::at_end_of_batch() {
    if (!failed() && !send_now()) tell_of_failed_output();
}

bool Channel::send_now(std::string_view body, std::string_view tail) {
    unlink();
    if (write_waiting_ || (body.size() + tail.size() <= kCopyBytes && !out_.empty())) {
        compact_output();
        out_.append(body).append(tail);
        if (write_waiting_) return true;
        body = tail = {};
    }
    const std::string_view first = std::string_view(out_).substr(out_sent_);
    iovec pieces[3];
    std::size_t count = 0;
    for (const std::string_view piece : {first, body, tail}) {
        if (piece.empty()) continue;
        pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (count == 0) return true;
    const net::SendResult result = transport_->send({pieces, count});
    if (result.error) return send_failed(result.error);

    std::size_t sent = result.bytes;
    if (sent == first.size() + body.size() + tail.size()) {
        drop_output();
        return true;
    }
    const std::size_t of_first = std::min(sent, first.size());
    out_sent_ += of_first;
    sent -= of_first;
    if (out_sent_ == out_.size()) {
        out_.clear();
        out_sent_ = 0;
    }
    const std::size_t of_body = std::min(sent, body.size());
    compact_output();
    out_.append(body.substr(of_body)).append(tail.substr(sent - of_body));
    write_waiting_ = true;
    if (result.bytes != 0 || !send_deadline_) arm_send_deadline();
    transport_->wait_write();
    return true;
}

void Channel::arm_send_deadline() {
    if (!send_deadline_) {
        const auto late = [](void* self) {
            auto& channel = *static_cast<Channel*>(self);
            channel.fail(Error(channel.send_late_, channel.side_), true);
        };
        send_deadline_ = std::make_unique<async::Deadline>(loop_.wheel(), late, this);
    }
    send_deadline_->arm(send_limit_);
}

/// The queue may never run dry: what was sent must go once it is most of the memory.
void Channel::compact_output() {
    if (out_sent_ == 0 || out_sent_ < out_.size() - out_sent_) return;
    out_.erase(0, out_sent_);
    out_sent_ = 0;
}

void Channel::set_send_limit(std::chrono::milliseconds limit, Reason late) {
    send_limit_ = limit;
    send_late_ = late;
    if (write_waiting_) arm_send_deadline();
}

void Channel::on_writable(const net::ErrorCode& error) {
    write_waiting_ = false;
    if (failed()) return;
    const std::size_t before = queued();
    if (error) {
        send_failed(error);
    } else if (send_now() && queued() < before) {
        arm_send_deadline();
    }
    if (queued() == 0) {
        send_deadline_.reset();
        if (finish_when_sent_) transport_->shutdown_send();
    }
    if (writer_.waiting() && (failed() || queued() <= writer_limit_)) return writer_.set();
    if (failed() && !writer_.waiting()) tell_of_failed_output();
}

void Channel::tell_of_failed_output() {
    if (reader_.waiting()) return reader_.set();
    listener_->on_input_end();
}

Task<bool> Channel::drained(std::size_t bytes) {
    if (failed()) return Task<bool>(false);
    if (queued() <= bytes || !write_waiting_) return Task<bool>(true);
    return drained_slow(bytes);
}

Task<bool> Channel::drained_slow(std::size_t bytes) {
    writer_limit_ = static_cast<std::uint32_t>(bytes);
    writer_.clear();
    co_await writer_.wait();
    co_return !failed();
}

void Channel::finish_output() noexcept {
    send_collected();
    finish_when_sent_ = true;
    if (!write_waiting_ && !failed()) transport_->shutdown_send();
}

void Channel::take_output() {
    if (out_.empty() && !spare_outputs.empty()) {
        out_ = std::move(spare_outputs.back());
        spare_outputs.pop_back();
    } else {
        out_.reserve(kUsualOutput);
    }
}

/// Whenever nothing is left to send, the buffer goes back.
void Channel::drop_output() noexcept {
    out_.clear();
    out_sent_ = 0;
    const bool usual = out_.capacity() >= kUsualOutput && out_.capacity() < 2 * kUsualOutput;
    if (usual && spare_outputs.size() < kSpareOutputs) {
        spare_outputs.push_back(std::move(out_));
    }
    std::string().swap(out_);
}

// State --------------------------------------------------------------------------------------

void Channel::fail(Error why, bool hard) {
    if (closed_) return;
    if (!failed()) send_collected();
    closed_ = true;
    if (!failed()) failure_ = std::make_unique<Error>(std::move(why));
    read_deadline_.disarm();
    if (send_deadline_) send_deadline_->disarm();
    if (hard) {
        transport_->abort();
    } else {
        transport_->close();
    }
    const Lifetime::Watch here(lifetime_);
    const bool woken = reader_.waiting() || writer_.waiting();
    if (reader_.waiting()) reader_.set();
    if (!here.ended() && writer_.waiting()) writer_.set();
    if (!here.ended() && !woken) listener_->on_input_end();
}

}  // namespace proxyd::codec::h1
