#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/base/result.hpp"

namespace proxyd::routing {

/// Bytes, not UTF-8, and '.' takes every byte: no spelling of a path slips past an expression.
[[nodiscard]] RE2::Options regex_options();
/// A broken expression is an internal error: the configuration was checked before.
[[nodiscard]] Result<std::unique_ptr<RE2>> compile_regex(const std::string& expression);

/// Expressions in file order; the first that matches anywhere in a text wins. Several are tried in
/// one pass. Immutable after build(); shared by threads.
class RegexList {
  public:
    void add(std::string expression, bool ignore_case, std::size_t value);
    Result<void> build();
    [[nodiscard]] bool empty() const noexcept { return expressions_.empty(); }
    /// The value of the first expression that matches.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view text) const;

  private:
    struct Expression {
        std::string text;
        std::size_t value;
        std::unique_ptr<RE2> regex;
    };
    std::vector<Expression> expressions_;
    std::unique_ptr<RE2::Set> set_;  ///< null for one expression
};

}  // namespace proxyd::routing
