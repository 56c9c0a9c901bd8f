#include "config/environment.hpp"

#include <algorithm>
#include <cstdlib>

namespace proxyd::config {
namespace {

bool upper_name(std::string_view name) {
    return !name.empty() && (name.front() < '0' || name.front() > '9') &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
           });
}

/// Replaces the reference ("NAME" or "NAME:-default"); false when it is none.
bool append_value(std::string_view reference, std::string& out, const Position& at,
                  Report& report) {
    const std::size_t sign = reference.find(":-");
    const std::string name(reference.substr(0, sign));
    const bool has_default = sign != std::string_view::npos;
    if (!upper_name(name)) return false;
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && (*value != '\0' || !has_default)) {
        out += value;
    } else if (has_default) {
        out += reference.substr(sign + 2);
    } else {
        report.error(at, "the environment variable '" + name + "' is not set",
                     "${" + name + ":-default} gives a default");
    }
    return true;
}

void substitute(std::string& text, const Position& at, Report& report) {
    if (text.find("${") == std::string::npos) return;
    std::string out;
    std::size_t i = 0;
    while (i < text.size()) {
        const std::string_view rest = std::string_view(text).substr(i);
        const std::size_t close = rest.find('}');
        if (rest.starts_with("$$")) {
            out += "$$";
            i += 2;
        } else if (rest.starts_with("${") && close != std::string_view::npos &&
                   append_value(rest.substr(2, close - 2), out, at, report)) {
            i += close + 1;
        } else {
            out += text[i++];
        }
    }
    text = std::move(out);
}

}  // namespace

void substitute_environment(Node& node, Report& report) {
    substitute(node.key, node.key_at, report);
    substitute(node.text, node.at, report);
    for (Node& item : node.items) substitute_environment(item, report);
}

}  // namespace proxyd::config
