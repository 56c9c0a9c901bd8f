#pragma once

#include "proxyd/config/model.hpp"
#include "proxyd/http/message.hpp"

namespace proxyd::policy {

/// Whether the announced length alone exceeds max_body_size: 413 before a byte is read. A chunked
/// body is counted while it is read (ServerStream::set_max_body).
[[nodiscard]] constexpr bool announces_too_much(const http::RequestHead& head,
                                                const config::Policy& policy) noexcept {
    return head.framing == http::Framing::length && head.content_length > policy.max_body_size;
}

}  // namespace proxyd::policy
