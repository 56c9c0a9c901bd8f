#include "routing/rewrite_path.hpp"

#include <array>
#include <cstring>

#include "routing/regex_list.hpp"

namespace proxyd::routing {
namespace {

using Kind = config::PathRule::Kind;

constexpr int kGroups = 10;  // the whole match and $1 .. $9

std::string_view concat(Arena& arena, std::string_view a, std::string_view b,
                        std::string_view c = {}) {
    char* place = arena.allocate(a.size() + b.size() + c.size());
    char* at = place;
    for (const std::string_view part : {a, b, c}) {
        if (!part.empty()) std::memcpy(at, part.data(), part.size());
        at += part.size();
    }
    return {place, static_cast<std::size_t>(at - place)};
}

bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// An operator's path: escapes that are there stay.
std::string encode_replacement(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '%' && at + 2 < text.size() && is_hex(text[at + 1]) &&
            is_hex(text[at + 2])) {
            out += text.substr(at, 3);
            at += 3;
        } else {
            out += http::encode_path(text.substr(at++, 1));
        }
    }
    return out;
}

/// How many bytes of `encoded` spell the first `decoded_size` bytes of its decoded form, in which
/// neighbouring slashes were merged.
std::size_t encoded_size(std::string_view encoded, std::size_t decoded_size) noexcept {
    std::size_t at = 0;
    bool after_slash = false;
    for (std::size_t count = 0; at < encoded.size() && count < decoded_size;) {
        const bool escape = encoded[at] == '%';
        const bool slash = encoded[at] == '/' || encoded.substr(at, 3) == "%2F";
        at += escape ? 3 : 1;
        if (!(slash && after_slash)) ++count;
        after_slash = slash;
    }
    return at;
}

/// Adds $1 .. $9 to what the request can answer, and escapes what would end the path.
class CaptureScope : public vars::Scope {
  public:
    CaptureScope(const vars::Scope& outer, const std::array<re2::StringPiece, kGroups>& groups)
        : outer_(outer), groups_(groups) {}

    void append(vars::Var var, std::string_view name, std::string& out) const override {
        if (var == vars::Var::capture) {
            const re2::StringPiece& group = groups_[static_cast<std::size_t>(name.front() - '0')];
            if (!group.empty()) out.append(group.data(), group.size());
            return;
        }
        std::string value;
        outer_.append(var, name, value);
        if (var == vars::Var::uri || var == vars::Var::document_uri) {
            out += http::encode_path(value);
        } else {
            append_value(var, value, out);
        }
    }

  private:
    static void append_value(vars::Var var, std::string_view value, std::string& out) {
        using vars::Var;
        const bool query = var == Var::args || var == Var::query_string || var == Var::is_args ||
                           var == Var::request_uri;
        if (query) return http::append_escaped(value, out);
        for (const char c : value) {
            c == '?' ? void(out += "%3F") : http::append_escaped({&c, 1}, out);
        }
    }

    const vars::Scope& outer_;
    const std::array<re2::StringPiece, kGroups>& groups_;
};

/// One slash in front; '#' never leaves.
void tidy(std::string& target) {
    const std::size_t start = std::min(target.find_first_not_of('/'), target.size());
    target.replace(0, start, "/");
    for (std::size_t at = target.find('#'); at != target.npos; at = target.find('#', at)) {
        target.replace(at, 1, "%23");
    }
}

std::string_view without_end_slashes(std::string_view path) noexcept {
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

/// Whole elements; everything is below "".
bool below(std::string_view path, std::string_view prefix) noexcept {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool safe_path(std::string_view target) {
    const std::string_view path = http::split_target(target).path;
    return http::is_plain_path(path) || !http::has_dot_segment(path);
}

}  // namespace

std::string_view join_query(std::string_view path, const RouteMatch& match, Arena& arena) {
    return match.has_query ? concat(arena, path, "?", match.query) : path;
}

Result<std::unique_ptr<const PathEdit>> PathEdit::compile(const config::Location& location) {
    const config::PathRule& rule = location.path_rule;
    if (rule.kind == Kind::none) return std::unique_ptr<const PathEdit>();
    auto edit = std::make_unique<PathEdit>();
    edit->location_ = &location;
    edit->replacement_ = rule.kind == Kind::replace ? encode_replacement(rule.replacement) : "/";
    edit->prefix_ = http::encode_path(location.matcher.text);
    if (rule.kind == Kind::rewrite) {
        auto regex = compile_regex(rule.match);
        if (!regex) return std::move(regex).error();
        edit->regex_ = std::move(regex).value();
    }
    return std::unique_ptr<const PathEdit>(std::move(edit));
}

Result<std::string_view> PathEdit::apply(const RouteMatch& match, const vars::Scope& scope,
                                         Arena& arena) const {
    const std::string_view target =
        regex_ ? rewrite(match, scope, arena) : exchange_prefix(match, arena);
    if (!safe_path(target)) {
        return Error(Reason::bad_path, Source::downstream, Retry::no,
                     "the path has dot segments after the location's path rule");
    }
    return target;
}

std::string_view PathEdit::exchange_prefix(const RouteMatch& match, Arena& arena) const {
    const std::size_t size = encoded_size(match.encoded, location_->matcher.text.size());
    std::string_view rest = match.encoded.substr(size);
    const bool slash = (size > 0 && match.encoded[size - 1] == '/') || rest.starts_with('/');
    while (rest.starts_with('/')) rest.remove_prefix(1);

    std::string_view base = replacement_;
    if (rest.empty() && !slash) return join_query(base, match, arena);
    while (base.ends_with('/')) base.remove_suffix(1);
    return join_query(concat(arena, base, "/", rest), match, arena);
}

std::string_view PathEdit::reverse(std::string_view path, Arena& arena) const {
    if (regex_) return path;
    if (location_->matcher.kind == config::Matcher::Kind::exact) {
        return path == replacement_ ? std::string_view(prefix_) : path;
    }
    const std::string_view base = without_end_slashes(replacement_);
    const std::string_view prefix = without_end_slashes(prefix_);
    if (base.empty() ? below(path, prefix) : !below(path, base)) return path;
    const std::string_view rest = path.substr(base.size());
    if (rest.empty()) return prefix_;
    return concat(arena, prefix, rest);
}

std::string_view PathEdit::rewrite(const RouteMatch& match, const vars::Scope& scope,
                                   Arena& arena) const {
    std::array<re2::StringPiece, kGroups> groups;
    const re2::StringPiece path(match.encoded.data(), match.encoded.size());
    const int wanted = std::min(kGroups, regex_->NumberOfCapturingGroups() + 1);
    if (!regex_->Match(path, 0, path.size(), RE2::UNANCHORED, groups.data(), wanted)) {
        return {};
    }
    std::string target;
    location_->path_rule.to.expand(CaptureScope(scope, groups), target);
    std::string escaped;
    http::append_escaped(target, escaped);
    tidy(escaped);
    const std::string_view result = arena.copy(escaped);
    if (escaped.find('?') == escaped.npos) return join_query(result, match, arena);
    return match.query.empty() ? result : concat(arena, result, "&", match.query);
}

}  // namespace proxyd::routing
