#include "tunnel.hpp"

#include "server_stream.hpp"

namespace proxyd::codec::h2 {
namespace {

/// What may wait for a slow reader.
constexpr std::size_t kQueue = 64 * 1024;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::chrono::milliseconds kNoLimit{0};  // timeouts.upgraded watches both directions

}  // namespace

StreamTunnel::StreamTunnel(ServerStreamH2& stream) : stream_(stream) {
    stream_.set_send_buffer(kQueue);
    stream_.set_max_body(UINT64_MAX);
    stream_.set_min_rate(0);
}

Task<Result<std::string_view>> StreamTunnel::read() {
    if (ended_) co_return std::string_view{};
    auto part = co_await stream_.read_body(kPiece, kNoLimit);
    if (!part) co_return std::move(part).error();
    ended_ = part->end;
    co_return part->data;
}

Task<Result<void>> StreamTunnel::write(std::string_view bytes) {
    http::SendOptions options;
    options.flush = true;
    return stream_.send(bytes, options);
}

void StreamTunnel::finish() noexcept {
    http::SendOptions options;
    options.end = true;
    // Nothing to wait for: what is queued is kept.
    (void)stream_.send({}, options);
}

void StreamTunnel::abort(Error why) noexcept {
    stream_.cut(why, ErrorCode::cancel);
}

}  // namespace proxyd::codec::h2
