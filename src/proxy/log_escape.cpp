#include "log_escape.hpp"

namespace proxyd::proxy {
namespace {

bool needs_escape(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\';
}

}  // namespace

void escape_log_text(std::string& out, std::size_t start) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::size_t at = start;
    while (at < out.size() && !needs_escape(out[at])) ++at;
    if (at == out.size()) return;
    const std::string raw = out.substr(at);
    out.resize(at);
    for (const char c : raw) {
        if (!needs_escape(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
}

}  // namespace proxyd::proxy
