#include <algorithm>

#include "config/sections.hpp"
#include "proxyd/base/ip.hpp"
#include "proxyd/base/text.hpp"

namespace proxyd::config {
namespace {

bool name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// What is wrong with a lower-case name without its wildcard, and what to do. The text is put
/// behind the quoted name.
struct Problem {
    std::string_view text;
    std::string_view hint{};
};

std::optional<Problem> check_plain(std::string_view name) {
    if (name.starts_with('[') && name.ends_with(']') &&
        IpAddress::parse(name.substr(1, name.size() - 2))) {
        return std::nullopt;
    }
    if (name.find('/') != std::string_view::npos) {
        return Problem{"is a URL, not a host", "write the name only"};
    }
    if (name.find(':') != std::string_view::npos) {
        return Problem{"has a port", "ports belong to 'listeners'"};
    }
    for (const char c : name) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            return Problem{"is not ASCII", "write it as xn--..."};
        }
        if (!name_character(c)) {
            return Problem{"is not a host name",
                           c == '*' ? "'*' is the first or the last label, or write '~regex'" : ""};
        }
    }
    if (name.empty() || name.find("..") != std::string_view::npos || name.front() == '.' ||
        name.size() > 253) {
        return Problem{"is not a host name"};
    }
    return std::nullopt;
}

void add_name(Reader& reader, std::string name, const Position& at,
              std::vector<std::string>& names) {
    const auto [first, fresh] = reader.host_names.emplace(name, at);
    if (!fresh) {
        reader.report.error(at, "host '" + name + "' is given twice",
                            "first given at " + first->second.text());
        return;
    }
    names.push_back(std::move(name));
}

/// The part of a name without its wildcard label.
std::string_view plain_part(std::string_view name) {
    if (name.starts_with("*.")) return name.substr(2);
    if (name.ends_with(".*")) return name.substr(0, name.size() - 2);
    return name;
}

}  // namespace

void read_host_name(Reader& reader, std::string_view text, const Position& at,
                    std::vector<std::string>& names) {
    if (text.starts_with('~')) {
        // Host names are lower-cased before they match, so the expression ignores case.
        if (check_regex(reader, at, text.substr(1), false)) {
            add_name(reader, std::string(text), at, names);
        }
        return;
    }
    std::string name;
    for (const char c : text) name += text::lower(c);
    if (name == "*") return add_name(reader, std::move(name), at, names);
    if (name.size() > 1 && name.ends_with('.')) name.pop_back();
    if (name.empty()) {
        reader.report.error(at, "a host needs a name", "\"*\" stands for every other name");
        return;
    }
    const bool both = name.size() > 1 && name.starts_with('.');
    const std::string_view plain = both ? std::string_view(name).substr(1) : plain_part(name);
    if (const auto problem = check_plain(plain)) {
        reader.report.error(at, "'" + name + "' " + std::string(problem->text),
                            std::string(problem->hint));
        return;
    }
    if (both) add_name(reader, name.substr(1), at, names);
    add_name(reader, both ? "*" + name : std::move(name), at, names);
}

}  // namespace proxyd::config
