#include "proxyd/vars/registry.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "proxyd/base/text.hpp"

namespace proxyd::vars {
namespace {

constexpr std::array kNames{
#define PROXYD_VAR_NAME(name) std::string_view{#name},
    PROXYD_VARS(PROXYD_VAR_NAME)
#undef PROXYD_VAR_NAME
};

struct Family {
    std::string_view prefix;
    Var var;
    bool fold_case;  ///< field names
};

constexpr std::array kFamilies{
    Family{"http_", Var::http_field, true},
    Family{"upstream_http_", Var::upstream_http_field, true},
    Family{"sent_http_", Var::sent_http_field, true},
    Family{"cookie_", Var::cookie, false},
    Family{"arg_", Var::arg, false},
};

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), text::lower);
    return out;
}

std::optional<Reference> find_builtin(std::string_view name) {
    const auto known = std::ranges::find(kNames, name);
    if (known != kNames.end()) {
        return Reference{static_cast<Var>(known - kNames.begin()), {}};
    }
    for (const Family& family : kFamilies) {
        if (!name.starts_with(family.prefix) || name.size() == family.prefix.size()) continue;
        const std::string_view part = name.substr(family.prefix.size());
        return Reference{family.var, family.fold_case ? lower_case(part) : std::string(part)};
    }
    return std::nullopt;
}

/// Edits between two words; two letters that changed places are one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (text::lower(a[i - 1]) == b[j - 1] ? 0 : 1);
            row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(last);
        last.swap(row);
    }
    return last.back();
}

/// Takes what stands before the next separator off the front of `list`.
std::string_view next_piece(std::string_view& list, char separator) noexcept {
    const std::size_t end = std::min(list.find(separator), list.size());
    const std::string_view piece = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    return piece;
}

}  // namespace

std::optional<Reference> find_variable(std::string_view name,
                                       const std::unordered_set<std::string>& maps) {
    if (auto builtin = find_builtin(name)) return builtin;
    std::string text(name);
    if (!maps.contains(text)) return std::nullopt;
    return Reference{Var::map, std::move(text)};
}

bool is_reserved(std::string_view name) {
    return find_builtin(name).has_value();
}

std::string suggest_variable(std::string_view name, const std::unordered_set<std::string>& maps) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    const auto consider = [&](std::string_view candidate) {
        const std::size_t distance = edit_distance(name, candidate);
        // Of two map names at the same distance the first in the alphabet, whatever the hash says.
        if (distance < best_distance ||
            (distance == best_distance && !best.empty() && candidate < best)) {
            best_distance = distance;
            best = candidate;
        }
    };
    for (const std::string_view candidate : kNames) consider(candidate);
    for (const std::string& candidate : maps) consider(candidate);
    return best;
}

std::string_view name_of(Var var) noexcept {
    const auto index = static_cast<std::size_t>(var);
    return index < kNames.size() ? kNames[index] : std::string_view{};
}

bool field_has_name(std::string_view field, std::string_view family_part) noexcept {
    if (field.size() != family_part.size()) return false;
    for (std::size_t i = 0; i < field.size(); ++i) {
        const char c = field[i] == '-' ? '_' : text::lower(field[i]);
        if (c != family_part[i]) return false;
    }
    return true;
}

void append_field(const http::HeaderMap& fields, std::string_view family_part, std::string& out) {
    const std::string_view separator = family_part == "cookie" ? "; " : ", ";
    bool first = true;
    for_each_field(fields, family_part, [&](std::string_view value) {
        if (!first) out += separator;
        out += value;
        first = false;
    });
}

void append_cookie(const http::HeaderMap& fields, std::string_view name, std::string& out) {
    if (!fields.maybe(http::FieldId::cookie)) return;
    for (const http::Field& field : fields) {
        if (field.id != http::FieldId::cookie) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const std::string_view pair = text::trim(next_piece(rest, ';'));
            if (pair.size() <= name.size() || pair[name.size()] != '=') continue;
            if (!pair.starts_with(name)) continue;
            out += pair.substr(name.size() + 1);
            return;
        }
    }
}

void append_argument(std::string_view query, std::string_view name, std::string& out) {
    while (!query.empty()) {
        const std::string_view pair = next_piece(query, '&');
        if (pair.size() <= name.size() || pair[name.size()] != '=') continue;
        if (!text::iequals(pair.substr(0, name.size()), name)) continue;
        out += pair.substr(name.size() + 1);
        return;
    }
}

}  // namespace proxyd::vars
