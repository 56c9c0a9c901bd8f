#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/routing/table.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::routing {

/// The path rule of one location, compiled. Acts on the normalised, encoded path, so "%2F" stays
/// what it is. Immutable, shared by threads.
class PathEdit {
  public:
    /// Null for a location without a rule.
    static Result<std::unique_ptr<const PathEdit>> compile(const config::Location& location);

    /// The new path and query; empty when the expression does not fit; error bad_path when the
    /// result has dot segments.
    [[nodiscard]] Result<std::string_view> apply(const RouteMatch& match, const vars::Scope& scope,
                                                 Arena& arena) const;

    /// client_path() of a location with this rule.
    [[nodiscard]] std::string_view reverse(std::string_view path, Arena& arena) const;

  private:
    [[nodiscard]] std::string_view exchange_prefix(const RouteMatch& match, Arena& arena) const;
    [[nodiscard]] std::string_view rewrite(const RouteMatch& match, const vars::Scope& scope,
                                           Arena& arena) const;

    const config::Location* location_ = nullptr;
    std::string prefix_;          ///< what is replaced, encoded
    std::string replacement_;     ///< strip: "/"
    std::unique_ptr<RE2> regex_;  ///< rewrite
};

/// `path` or `path?query`.
[[nodiscard]] std::string_view join_query(std::string_view path, const RouteMatch& match,
                                          Arena& arena);

}  // namespace proxyd::routing
