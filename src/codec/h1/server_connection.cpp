#include "server_connection.hpp"

#include <algorithm>

#include "server_stream.hpp"

namespace proxyd::codec::h1 {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBlock = 8 * 1024;
/// A request may be on its way when the drain begins: so long it still gets its answer.
constexpr milliseconds kDrainGrace{500};
/// How long the rest of a body that nobody wanted may take before the connection closes instead.
constexpr milliseconds kDiscardFor{5000};
/// When an exchange takes longer, we look whether its client is still there.
constexpr milliseconds kLookAfter{250};
/// How long and how much we go on reading behind our last answer, so that a reset does not
/// overtake it (RFC 9112 9.6).
constexpr milliseconds kLingerFor{2000};
constexpr std::size_t kLingerBytes = 16 * 1024 * 1024;

}  // namespace

ServerConnection::ServerConnection(async::Loop& loop, net::TransportPtr transport,
                                   const ServerLimits& limits, http::StreamFacts& facts,
                                   std::string_view received)
    : channel_(loop, std::move(transport), *this, Source::downstream, kBlock),
      limits_(limits),
      facts_(facts),
      head_since_(facts.connected_at) {
    channel_.preload(received);
}

ServerConnection::~ServerConnection() = default;

Task<std::unique_ptr<http::ServerStream>> ServerConnection::accept() {
    if (stream_ != nullptr) co_await stream_gone_.wait();
    const bool usable = co_await finish_last();
    if (!usable) co_return nullptr;
    waits_for_head_ = true;
    expect_head();
    Next next = scan_head();
    while (next == Next::more) {
        const Channel::Fill filled = co_await channel_.fill(head_limit(), head_begun());
        next = after_fill(filled);
    }
    waits_for_head_ = false;
    if (next == Next::closed) co_return nullptr;
    co_return make_stream(next);
}

/// Whether another request may come. As a rule there is nothing to wait for.
Task<bool> ServerConnection::finish_last() {
    if (channel_.closed()) return Task<bool>(false);
    const bool clean = keepalive_ && to_discard_ == 0 && !channel_.failed() && !channel_.blocked();
    return clean ? Task<bool>(true) : finish_slowly();
}

Task<bool> ServerConnection::finish_slowly() {
    if (!keepalive_) channel_.send_collected();
    const bool sent = co_await channel_.drained(0);
    if (!sent) co_return false;
    if (!keepalive_) {
        if (must_linger_ || !channel_.unread().empty()) co_await linger();
        co_return false;
    }
    if (to_discard_ == 0) co_return true;
    const bool discarded = co_await discard_rest();
    co_return discarded;
}

Task<bool> ServerConnection::discard_rest() {
    const async::Milliseconds until = channel_.loop().now() + kDiscardFor.count();
    while (to_discard_ != 0) {
        const std::size_t here = std::min<std::uint64_t>(channel_.unread().size(), to_discard_);
        channel_.consume(here);
        to_discard_ -= here;
        if (to_discard_ == 0) break;
        if (channel_.input_ended()) co_return false;
        const milliseconds left(until - channel_.loop().now());
        if (left.count() <= 0) co_return false;
        const Channel::Fill filled = co_await channel_.fill(left, true);
        if (filled != Channel::Fill::more) co_return false;
    }
    co_return true;
}

void ServerConnection::expect_head() {
    scanner_.restart();
    blank_line_taken_ = false;
    head_started_ = facts_.requests_before == 0;
}

/// Whether what has come so far is a head, or will never be one.
ServerConnection::Next ServerConnection::scan_head() {
    while (true) {
        const std::string_view data = channel_.unread();
        if (!data.empty() && !head_started_) {
            head_started_ = true;
            head_since_ = channel_.loop().now();
        }
        // One empty line before a request is ignored (RFC 9112 2.2).
        if (!blank_line_taken_ && data.starts_with("\r\n")) {
            blank_line_taken_ = true;
            channel_.consume(2);
            continue;
        }
        const auto scanned = scanner_.scan({channel_.unread_data(), data.size()}, false);
        const std::size_t size =
            scanned == HeadScanner::Result::complete ? scanner_.head_size() : data.size();
        if (size > limits_.max_header_size ||
            (size == limits_.max_header_size && scanned == HeadScanner::Result::need_more)) {
            refusal_ = scanner_.first_line() == 0 || scanner_.first_line() > limits_.max_header_size
                           ? Reason::uri_too_long
                           : Reason::header_too_large;
            return Next::refused;
        }
        if (scanned == HeadScanner::Result::complete) return Next::head;
        if (scanned == HeadScanner::Result::bad) {
            refusal_ = Reason::bad_request;
            return Next::refused;
        }
        if (channel_.input_ended()) return Next::closed;
        if (data.size() >= channel_.block_size()) channel_.want(limits_.max_header_size + 1);
        return Next::more;
    }
}

ServerConnection::Next ServerConnection::after_fill(Channel::Fill filled) {
    if (filled == Channel::Fill::closed) return Next::closed;
    if (filled != Channel::Fill::late) return scan_head();
    return channel_.unread().empty() ? Next::closed : Next::late;
}

/// keepalive_timeout until the first byte, what is left of header_timeout from then on.
milliseconds ServerConnection::head_limit() const {
    if (draining_ && channel_.unread().empty()) return kDrainGrace;
    if (!head_started_) return limits_.keepalive_timeout;
    if (limits_.header_timeout.count() == 0) return milliseconds{0};
    const milliseconds used(channel_.loop().now() - head_since_);
    return std::max(limits_.header_timeout - used, milliseconds{1});
}

std::unique_ptr<http::ServerStream> ServerConnection::make_stream(Next next) {
    channel_.watch(kLookAfter);
    auto stream = std::make_unique<ServerStreamH1>(*this, channel_, limits_, facts_);
    stream_ = stream.get();
    stream_gone_.clear();
    const std::string_view data = channel_.unread();
    if (next == Next::head) {
        const std::size_t size = scanner_.head_size();
        stream->parse(data.substr(0, size));
        channel_.consume(size);
        channel_.pin();
        return stream;
    }
    // The first line, as far as it goes, is for the log.
    stream->parse(data.substr(0, std::min<std::size_t>(data.find('\r'), 1024)));
    if (next == Next::late) refusal_ = Reason::client_timeout_header;
    stream->refuse_with(Error(refusal_, Source::downstream));
    return stream;
}

void ServerConnection::stream_ended(bool keepalive, std::uint64_t unread_body) {
    stream_ = nullptr;
    channel_.watch(milliseconds{0});
    keepalive_ = keepalive && !channel_.closed();
    to_discard_ = keepalive_ ? unread_body : 0;
    must_linger_ = !keepalive_ && (unread_body != 0 || refusal_ != Reason::none);
    ++facts_.requests_before;
    stream_gone_.set();
}

Task<void> ServerConnection::linger() {
    if (channel_.closed()) co_return;
    channel_.finish_output();
    const async::Milliseconds until = channel_.loop().now() + kLingerFor.count();
    std::size_t taken = 0;
    while (!channel_.input_ended() && taken < kLingerBytes) {
        taken += channel_.unread().size();
        channel_.consume(channel_.unread().size());
        const milliseconds left(until - channel_.loop().now());
        if (left.count() <= 0) co_return;
        const Channel::Fill filled = co_await channel_.fill(left, true);
        if (filled != Channel::Fill::more) co_return;
    }
}

void ServerConnection::drain() {
    draining_ = true;
    if (!waits_for_head_ || !channel_.filling() || !channel_.unread().empty()) return;
    channel_.interrupt();  // from now on the grace counts
}

void ServerConnection::abort(Error why) {
    channel_.fail(std::move(why));
}

void ServerConnection::on_input_end() {
    if (stream_ == nullptr) return;
    stream_->client_gone(channel_.failed()
                             ? channel_.failure()
                             : connection_error(channel_.input_error(), Source::downstream));
}

}  // namespace proxyd::codec::h1

namespace proxyd::codec {

std::unique_ptr<ServerCodec> make_h1_server(async::Loop& loop, net::TransportPtr transport,
                                            const ServerLimits& limits, http::StreamFacts& facts) {
    return std::make_unique<h1::ServerConnection>(loop, std::move(transport), limits, facts);
}

}  // namespace proxyd::codec
