#include "proxyd/vars/template.hpp"

#include <algorithm>

#include "proxyd/vars/registry.hpp"

namespace proxyd::vars {
namespace {

constexpr bool is_name_byte(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Reads a template from left to right. A '$' begins a reference.
class Parser {
  public:
    Parser(std::string_view text, const std::unordered_set<std::string>& maps, bool captures)
        : text_(text), maps_(maps), captures_(captures) {}

    Result<std::vector<Template::Part>, Template::ParseError> run() {
        while (at_ < text_.size()) {
            const std::size_t dollar = std::min(text_.find('$', at_), text_.size());
            append_literal(text_.substr(at_, dollar - at_));
            at_ = dollar;
            if (at_ == text_.size()) break;
            if (!read_reference()) return std::move(error_);
        }
        return std::move(parts_);
    }

  private:
    void append_literal(std::string_view text) {
        if (text.empty()) return;
        if (parts_.empty() || !parts_.back().literal) parts_.emplace_back();
        parts_.back().text += text;
    }

    bool fail(std::string message, std::string suggestion = {}) {
        error_ = {std::move(message), std::move(suggestion), at_};
        return false;
    }

    /// at_ stands on '$'.
    bool read_reference() {
        const std::string_view rest = text_.substr(at_ + 1);
        if (rest.starts_with('$')) {
            append_literal("$");
            at_ += 2;
            return true;
        }
        if (rest.starts_with('{')) {
            const std::size_t close = rest.find('}');
            if (close == std::string_view::npos) return fail("'${' without '}'");
            return resolve(rest.substr(1, close - 1), close + 2);
        }
        if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return resolve(rest.substr(0, 1), 2);
        const auto end = std::ranges::find_if_not(rest, is_name_byte);
        const auto size = static_cast<std::size_t>(end - rest.begin());
        if (size == 0) return fail("'$' without a name", "$$ for a dollar sign");
        return resolve(rest.substr(0, size), size + 1);
    }

    bool resolve(std::string_view name, std::size_t consumed) {
        if (name.size() == 1 && name[0] >= '0' && name[0] <= '9') {
            if (!captures_ || name == "0") {
                return fail("unknown variable '$" + std::string(name) +
                            "': captures $1 to $9 exist in 'rewrite' only");
            }
            parts_.push_back({false, Var::capture, std::string(name)});
        } else if (auto found = find_variable(name, maps_)) {
            parts_.push_back({false, found->var, std::move(found->name)});
        } else {
            const std::string near = suggest_variable(name, maps_);
            return fail("unknown variable '$" + std::string(name) + "'",
                        near.empty() ? std::string() : "$" + near);
        }
        at_ += consumed;
        return true;
    }

    std::string_view text_;
    const std::unordered_set<std::string>& maps_;
    bool captures_;
    std::size_t at_ = 0;
    std::vector<Template::Part> parts_;
    Template::ParseError error_;
};

}  // namespace

Template::Template(std::string text) : source_(std::move(text)) {
    if (!source_.empty()) parts_.push_back({true, {}, source_});
}

Result<Template, Template::ParseError> Template::parse(std::string_view text,
                                                       const std::unordered_set<std::string>& maps,
                                                       bool captures_allowed) {
    auto parts = Parser(text, maps, captures_allowed).run();
    if (!parts) return std::move(parts).error();
    Template result;
    result.source_ = text;
    result.parts_ = std::move(parts).value();
    return result;
}

bool Template::constant() const noexcept {
    return parts_.empty() || (parts_.size() == 1 && parts_.front().literal);
}

std::string_view Template::literal() const noexcept {
    return constant() && !parts_.empty() ? std::string_view(parts_.front().text)
                                         : std::string_view{};
}

void Template::expand(const Scope& scope, std::string& out) const {
    for (const Part& part : parts_) {
        if (part.literal) {
            out += part.text;
        } else {
            scope.append(part.var, part.text, out);
        }
    }
}

}  // namespace proxyd::vars
