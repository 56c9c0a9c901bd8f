#pragma once

#include <span>
#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::policy {

/// `cookie_domain` and `cookie_path`. A view of the policy, which outlives it; immutable, shared by
/// threads.
class CookieRules {
  public:
    CookieRules() = default;
    explicit CookieRules(const config::Policy& policy)
        : domains_(policy.cookie_domain), paths_(policy.cookie_path) {}

    [[nodiscard]] bool empty() const noexcept { return domains_.empty() && paths_.empty(); }
    /// The value of a Set-Cookie field with its Domain and Path changed where a rule fits; the same
    /// view where none does.
    [[nodiscard]] std::string_view rewrite(std::string_view set_cookie, const vars::Scope& scope,
                                           Arena& arena) const;

  private:
    std::span<const config::CookieRule> domains_;
    std::span<const config::CookieRule> paths_;  ///< longest first
};

}  // namespace proxyd::policy
