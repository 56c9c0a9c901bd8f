#include <re2/re2.h>

#include "config/sections.hpp"

namespace proxyd::config {
namespace {

/// RE2 names the operator; operators want to know what to do.
std::string explain(const RE2& regex) {
    const std::string& argument = regex.error_arg();
    if (argument.starts_with("(?=") || argument.starts_with("(?!")) {
        return "lookahead is not supported";
    }
    if (argument.starts_with("(?<")) return "lookbehind is not supported";
    const bool escape = regex.error_code() == RE2::ErrorBadEscape && argument.size() == 2;
    if (escape && argument[1] >= '0' && argument[1] <= '9')
        return "backreferences are not supported";
    return regex.error();
}

}  // namespace

std::optional<int> check_regex(Reader& reader, const Position& at, std::string_view expression,
                               bool case_sensitive) {
    RE2::Options options(RE2::Quiet);
    options.set_case_sensitive(case_sensitive);
    const RE2 regex(re2::StringPiece(expression.data(), expression.size()), options);
    if (regex.ok()) return regex.NumberOfCapturingGroups();
    reader.report.error(at, "the regular expression is not valid: " + explain(regex),
                        "RE2 syntax: no lookaround, no backreferences");
    return std::nullopt;
}

}  // namespace proxyd::config
