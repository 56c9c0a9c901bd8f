#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/base/arena.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/http/header_map.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::policy {

/// A list of header rules in file order. A view of the snapshot, which outlives it; immutable,
/// shared by threads.
class HeaderRules {
  public:
    HeaderRules() = default;
    explicit HeaderRules(std::span<const config::HeaderRule> rules) : rules_(rules) {}

    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
    /// Names and constant values become views of the snapshot, expanded values lie in the arena.
    /// A value that is empty or could break the message sends no field; with `set` the field of the
    /// sender goes too, so that nobody speaks in our name.
    void apply(http::HeaderMap& fields, const vars::Scope& scope, Arena& arena) const;

  private:
    std::span<const config::HeaderRule> rules_;
};

/// Whether the bytes may stand in a field value (RFC 9110 5.5): no control but a tab.
[[nodiscard]] bool is_field_value(std::string_view value) noexcept;

}  // namespace proxyd::policy
