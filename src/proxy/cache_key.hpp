#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// Milliseconds since 1970, from the coarse clock.
[[nodiscard]] cache::UnixMilliseconds unix_now() noexcept;

/// What the answer to a GET for this target is stored under. In the arena.
[[nodiscard]] std::string_view cache_key_text(const Exchange& exchange);
/// Its URL, for purge and list. In the arena.
[[nodiscard]] std::string_view cache_url(const Exchange& exchange);
/// Whether one of the texts is neither empty nor "0" (nginx's proxy_cache_bypass).
[[nodiscard]] bool any_set(const std::vector<vars::Template>& texts, const Exchange& exchange);

/// RFC 9111 4.4: an unsafe request that worked makes what is stored for its target, and for what
/// its Location and Content-Location name on the same host, invalid.
void invalidate_stored(const Exchange& exchange, const http::ResponseHead& head);

}  // namespace proxyd::proxy
