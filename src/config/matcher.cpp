#include "config/sections.hpp"

namespace proxyd::config {
namespace {

struct Sign {
    std::string_view text;
    Matcher::Kind kind;
};
/// The longer sign first where one begins with the other.
constexpr Sign kSigns[] = {{"^~", Matcher::Kind::final_prefix},
                           {"~*", Matcher::Kind::iregex},
                           {"~", Matcher::Kind::regex},
                           {"=", Matcher::Kind::exact}};

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// Matching sees decoded paths without dot segments and double slashes.
std::string never_matches(std::string_view path) {
    if (path.find("//") != std::string_view::npos) return "'//' counts as '/' when paths match";
    for (const std::string_view dots : {"/./", "/../"}) {
        if (path.find(dots) != std::string_view::npos) return "paths match without dot segments";
    }
    if (path.ends_with("/.") || path.ends_with("/..")) return "paths match without dot segments";
    if (path.find('%') != std::string_view::npos) return "paths match in their decoded form";
    if (path.find('?') != std::string_view::npos) return "the query takes no part in the match";
    return "";
}

bool check_path(Reader& reader, Matcher& matcher, const Position& at) {
    if (matcher.kind == Matcher::Kind::prefix && matcher.text.ends_with('*')) {
        matcher.kind = Matcher::Kind::raw_prefix;
        matcher.text.pop_back();
    }
    if (!matcher.text.starts_with('/')) {
        std::string hint = "/" + matcher.text;
        if (matcher.source.starts_with('@')) hint = "there are no named locations here";
        reader.report.error(at, "location '" + matcher.source + "' must start with '/'",
                            std::move(hint));
        return false;
    }
    if (matcher.text.find('*') != std::string::npos) {
        reader.report.error(at, "location '" + matcher.source + "' has a '*' inside",
                            "'*' stands at the end of a prefix; else write a regex: '~ ^/a/.*/b$'");
        return false;
    }
    std::string problem = never_matches(matcher.text);
    if (!problem.empty()) {
        reader.report.warning(at, "location '" + matcher.source + "' may never match",
                              std::move(problem));
    }
    return true;
}

}  // namespace

std::optional<Matcher> parse_matcher(Reader& reader, std::string_view text, const Position& at) {
    Matcher matcher;
    matcher.source = text;
    for (const Sign& sign : kSigns) {
        if (!text.starts_with(sign.text)) continue;
        matcher.kind = sign.kind;
        text = without_blanks(text.substr(sign.text.size()));
        break;
    }
    matcher.text = text;
    const bool regex =
        matcher.kind == Matcher::Kind::regex || matcher.kind == Matcher::Kind::iregex;
    if (regex) {
        if (!check_regex(reader, at, text, matcher.kind == Matcher::Kind::regex)) {
            return std::nullopt;
        }
    } else if (!check_path(reader, matcher, at)) {
        return std::nullopt;
    }
    return matcher;
}

}  // namespace proxyd::config
