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
        if (channel_.input_ended()) {
            if (channel_.input_error() == boost::asio::error::eof) co_return std::string_view{};
            co_return connection_error(channel_.input_error(), side_);
        }
        if (co_await channel_.fill(kNoLimit, true) == Channel::Fill::closed) co_return channel_.failure();
    }
    loaned_ = channel_.unread().size();
    co_return channel_.unread();
}

Task<Result<void>> ChannelTunnel::write(std::string_view bytes) {
    if (!channel_.flush(bytes) || !co_await channel_.drained(kQueue)) {
        co_return channel_.failure();
    }
    co_return Result<void>{};
}

}  // namespace proxyd::codec::h1
