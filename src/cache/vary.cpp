#include "proxyd/cache/vary.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace proxyd::cache {
namespace {

constexpr std::size_t kMostNames = 16;

using Names = std::vector<std::string>;

void add_names(std::string_view list, Names& names) {
    text::for_each_element(list, [&](std::string_view element) {
        std::string name(element);
        std::ranges::transform(name, name.begin(), text::lower);
        names.push_back(std::move(name));
        return names.size() <= 4 * kMostNames;
    });
}

std::optional<std::string> joined(Names names) {
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    if (names.size() > kMostNames) return std::nullopt;
    std::string text;
    for (const std::string& name : names) {
        if (!text.empty()) text += ',';
        text += name;
    }
    return text;
}

/// Elements of a list separated by ", ", whatever blanks the client likes.
void append_value(std::string& out, std::string_view value, bool& first) {
    text::for_each_element(value, [&](std::string_view element) {
        if (!first) out += ", ";
        first = false;
        out += element;
        return true;
    });
}

}  // namespace

std::optional<std::string> vary_names(const http::HeaderMap& answer) {
    if (!answer.maybe(http::FieldId::vary)) return std::string();
    Names names;
    for (const http::Field& field : answer) {
        if (field.id == http::FieldId::vary) add_names(field.value, names);
    }
    if (std::ranges::find(names, "*") != names.end()) return std::nullopt;
    return joined(std::move(names));
}

std::optional<std::string> join_vary(std::string_view a, std::string_view b) {
    Names names;
    add_names(a, names);
    add_names(b, names);
    return joined(std::move(names));
}

bool vary_covers(std::string_view names, std::string_view wanted) {
    return join_vary(names, wanted) == names;
}

void append_variant(std::string& out, std::string_view text, std::string_view names,
                    std::uint64_t salt, const http::HeaderMap& request) {
    char digits[16];
    out.append(text).append("\n");
    out.append(digits, std::to_chars(digits, digits + sizeof digits, salt, 16).ptr);
    text::for_each_element(names, [&](std::string_view name) {
        const http::FieldId id = http::classify(name);
        bool first = true, present = false;
        out.append("\n").append(name);
        for (const http::Field& field : request) {
            if (!field.is(id, name)) continue;
            if (!present) out += ':';  // absent is not the same as empty
            present = true;
            append_value(out, field.value, first);
        }
        return true;
    });
}

}  // namespace proxyd::cache
