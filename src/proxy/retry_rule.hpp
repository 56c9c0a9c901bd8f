#pragma once

#include <optional>

#include "proxyd/base/reason.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::proxy {

/// Which word of `retry.on` (nginx's proxy_next_upstream) covers a failure or a status; nullopt:
/// none does.
[[nodiscard]] std::optional<config::RetryOn> retry_word(Reason reason) noexcept;
[[nodiscard]] std::optional<config::RetryOn> retry_word(int status) noexcept;

}  // namespace proxyd::proxy
