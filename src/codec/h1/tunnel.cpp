#include "tunnel.hpp"

#include <boost/asio/error.hpp>

namespace proxyd::codec::h1 {
namespace {

/// What may wait for a slow reader in each direction.
constexpr std::size_t kQueue = 64 * 1024;
constexpr std::chrono::milliseconds kNoLimit{0};  // timeouts.upgraded watches both directions

}  // namespace

Task<Result<std::string_view>> ChannelTunnel::read() {
    channel_.consume(std::exchange(loaned_, 0));
    while (channel_.unread().empty()) {
        if (channel_.input_ended()) co_return at_end();
        const Channel::Fill filled = co_await channel_.fill(kNoLimit, true);
        if (filled == Channel::Fill::closed) co_return channel_.failure();
    }
    loaned_ = channel_.unread().size();
    co_return channel_.unread();
}

Result<std::string_view> ChannelTunnel::at_end() const {
    if (channel_.input_error() == boost::asio::error::eof) return std::string_view{};
    return connection_error(channel_.input_error(), side_);
}

Task<Result<void>> ChannelTunnel::write(std::string_view bytes) {
    if (!channel_.flush(bytes)) co_return channel_.failure();
    const bool taken = co_await channel_.drained(kQueue);
    if (!taken) co_return channel_.failure();
    co_return Result<void>{};
}

}  // namespace proxyd::codec::h1
