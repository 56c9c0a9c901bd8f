#include "config/source_check.hpp"

#include <algorithm>

namespace proxyd::config {
namespace {

constexpr std::size_t kLargest = std::size_t{64} << 20;

/// Bytes of the UTF-8 sequence at the front, 0 when it is not one (overlong and surrogates
/// included).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (!tail(1) || !tail(2)) return 0;
        if (lead == 0xE0 && byte(1) < 0xA0) return 0;
        if (lead == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (lead == 0xF0 && byte(1) < 0x90) return 0;
        if (lead == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

bool control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
}

Position place(const Source& source, std::size_t offset) {
    const auto next =
        std::upper_bound(source.line_starts.begin(), source.line_starts.end(), offset);
    const auto line = static_cast<std::int32_t>(next - source.line_starts.begin());
    const auto column = static_cast<std::int32_t>(offset - *(next - 1)) + 1;
    return Position{&source, line, column, 1};
}

}  // namespace

bool check_text(const Source& source, Report& report) {
    if (source.text.size() > kLargest) {
        report.error(Position{&source, 0, 0, 1}, "the file is larger than 64 MiB");
        return false;
    }
    const std::string_view text = source.text;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text.substr(i, 4));
        if (length == 0) {
            report.error(place(source, i), "not valid UTF-8", "save the file as UTF-8");
            return false;
        }
        if (control(text[i])) {
            report.error(place(source, i), "a control character");
            return false;
        }
        i += length;
    }
    return true;
}

QuotedText find_quotes(const Source& source, const Position& at) {
    QuotedText result;
    result.length = 1;
    const auto index = static_cast<std::size_t>(at.line) - 1;
    if (index >= source.line_starts.size()) return result;
    const std::string_view text = source.text;
    const std::size_t start = source.line_starts[index] + static_cast<std::size_t>(at.column) - 1;
    std::size_t i = start;
    while (i < text.size() && (text[i] == '&' || text[i] == '!')) {
        i = text.find_first_of(" \t\n", i);
        i = text.find_first_not_of(" \t", i);
    }
    if (i >= text.size() || (text[i] != '"' && text[i] != '\'')) return result;
    result.skipped = i - start;
    const char quote = text[i];
    const std::size_t line_end = std::min(text.find('\n', i), text.size());
    for (std::size_t j = i + 1; j < text.size(); ++j) {
        if (quote == '"' && text[j] == '\\') {
            ++j;
        } else if (text[j] == quote && quote == '\'' && j + 1 < text.size() &&
                   text[j + 1] == quote) {
            ++j;
        } else if (text[j] == quote) {
            result.length = std::min(j + 1, line_end) - i;
            return result;
        }
    }
    result.open = true;
    return result;
}

}  // namespace proxyd::config
