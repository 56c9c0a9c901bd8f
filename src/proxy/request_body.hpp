#pragma once

#include <string>

#include "proxyd/http/stream.hpp"

namespace proxyd::proxy {

/// The body of one request on its way: held in memory as far as request_buffering asks, then
/// streamed. As long as nothing was streamed it can be sent again. Owned by the exchange.
class RequestBody {
  public:
    RequestBody(http::BodySource& source, const http::RequestHead& head)
        : source_(source), present_(head.framing != http::Framing::none), complete_(!present_) {}

    /// Takes up to `limit` bytes off the client. Error: the client's.
    Task<Result<void>> buffer(std::size_t limit, std::uint64_t announced);

    [[nodiscard]] bool present() const noexcept { return present_; }
    /// Nothing is left with the client.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    [[nodiscard]] std::string_view buffered() const noexcept { return view_; }
    [[nodiscard]] const http::HeaderMap* trailers() const noexcept { return trailers_; }
    /// All of it is in memory.
    [[nodiscard]] bool held() const noexcept { return complete_ && !streamed_; }
    /// Whether another attempt can send all of it: nothing passed through that was not kept.
    [[nodiscard]] bool replayable() const noexcept { return !streamed_; }

    /// Sends what was buffered, then what comes. Stops at the first error of either side.
    Task<Result<void>> send_to(http::ClientStream& upstream);
    /// A pending send_to() stops waiting for the client.
    void stop() noexcept { source_.stop(http::StopReason::canceled); }

  private:
    http::BodySource& source_;
    std::string text_;
    std::string_view view_;  ///< text_, or the source's own buffer when it held all at once
    const http::HeaderMap* trailers_ = nullptr;
    const bool present_;
    bool complete_;
    bool streamed_ = false;
};

}  // namespace proxyd::proxy
