#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "proxyd/base/result.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::vars {

/// A text with $variables, parsed once when the configuration is loaded and expanded per request.
/// Immutable after parse; shared by threads. `$$` is a dollar sign, `${name}` delimits a name.
class Template {
  public:
    struct Part {
        bool literal = true;
        Var var{};
        std::string text;  ///< the literal, or the family part
    };
    struct ParseError {
        std::string message;     ///< "unknown variable '$fooo'"
        std::string suggestion;  ///< "$foo" or empty
        std::size_t offset = 0;  ///< into the text
    };

    Template() = default;
    /// A literal.
    explicit Template(std::string text);

    /// `maps` are the names defined in `maps:`.
    [[nodiscard]] static Result<Template, ParseError> parse(
        std::string_view text, const std::unordered_set<std::string>& maps = {},
        bool captures_allowed = false);

    [[nodiscard]] bool constant() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
    /// The text of a constant template.
    [[nodiscard]] std::string_view literal() const noexcept;
    /// As written (for -T).
    [[nodiscard]] const std::string& source() const noexcept { return source_; }
    void expand(const Scope& scope, std::string& out) const;
    [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }

  private:
    std::string source_;
    std::vector<Part> parts_;
};

}  // namespace proxyd::vars
