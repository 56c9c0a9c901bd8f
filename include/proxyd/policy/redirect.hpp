#pragma once

#include <cstdint>
#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/http/message.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::policy {

/// 301 for GET and HEAD, else 308: the method and the body survive.
[[nodiscard]] constexpr int permanent_redirect_status(http::Method method) noexcept {
    return method == http::Method::get || method == http::Method::head ? 301 : 308;
}
/// The action's own status, or by the method.
[[nodiscard]] int redirect_status(const config::Action& action, http::Method method) noexcept;

/// The Location of a redirect. What a request puts into it can't add a line, and a path that
/// begins with "//" or "/\" never becomes a host: the target stays where the operator sent it.
[[nodiscard]] std::string_view redirect_target(const vars::Template& to, const vars::Scope& scope,
                                               Arena& arena);

/// The same target over https on the host that the client asked for; its port, unless that is 443.
/// `authority` is not empty.
[[nodiscard]] std::string_view https_target(std::string_view authority, std::uint16_t port,
                                            std::string_view target, Arena& arena);

}  // namespace proxyd::policy
