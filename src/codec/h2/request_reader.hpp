#pragma once

#include <optional>

#include "proxyd/base/arena.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/codec/limits.hpp"
#include "proxyd/http/message.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// Makes a RequestHead of the fields of a HEADERS block, which nghttp2 has checked against RFC
/// 9113 8.2 and 8.3; what HTTP/1 would answer with an error is refused here the same way. Text is
/// kept in the arena, within the limits. Part of the stream.
class RequestReader {
  public:
    RequestReader(http::RequestHead& head, Arena& text, const ServerLimits& limits) noexcept
        : head_(head), text_(text), limits_(limits) {}

    ErrorCode add(std::string_view name, std::string_view value);
    /// The block is complete.
    void finish(bool end_of_stream, bool secure);
    [[nodiscard]] const std::optional<Error>& refused() const noexcept { return refused_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// Of an extended CONNECT: the Sec-WebSocket-Key that stands for it.
    [[nodiscard]] std::string_view websocket_key() const noexcept { return websocket_key_; }

  private:
    void add_pseudo(std::string_view name, std::string_view value);
    void add_crumb(std::string_view value);
    void refuse(Reason reason, std::string_view why = {});
    void check_method();
    void check_target();
    void check_authority();
    void check_framing(bool end_of_stream);
    void become_upgrade();

    http::RequestHead& head_;
    Arena& text_;
    const ServerLimits& limits_;
    std::optional<Error> refused_;
    std::size_t bytes_ = 0;
    std::string_view authority_, scheme_, protocol_, websocket_key_;
    char* cookie_ = nullptr;  ///< the crumbs so far, joined
    std::size_t cookie_size_ = 0, cookie_room_ = 0;
    bool cookie_seen_ = false;
};

}  // namespace proxyd::codec::h2
