#include "config/report.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace proxyd::config {
namespace {

/// Wide lines are shown in part, so that one line of a megabyte does not flood a terminal.
constexpr std::size_t kWidest = 200;
constexpr std::size_t kBefore = 60;

bool continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Control characters would act on the terminal.
std::string printable(std::string_view line) {
    std::string result(line);
    for (char& c : result) {
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) c = '?';
    }
    return result;
}

/// Blanks as wide as the text before the mark.
std::string padding(std::string_view before) {
    std::string pad;
    for (const char c : before) {
        if (c == '\t') {
            pad += '\t';
        } else if (!continuation(c)) {
            pad += ' ';
        }
    }
    return pad;
}

std::string caret_lines(const Diagnostic& d) {
    std::string_view line = d.source_line;
    auto column = static_cast<std::size_t>(d.column > 0 ? d.column - 1 : 0);
    if (line.size() > kWidest) {
        std::size_t start = column > kBefore ? column - kBefore : 0;
        while (start > 0 && start < line.size() && continuation(line[start])) --start;
        line = line.substr(std::min(start, line.size()), kWidest);
        column -= start;
    }
    column = std::min(column, line.size());
    std::string result = "\n  " + printable(line) + "\n  " + padding(line.substr(0, column)) + "^";
    const auto length = std::min(static_cast<std::size_t>(std::max(d.length, 1)),
                                 std::max<std::size_t>(line.size() - column, 1));
    // Counts characters, not bytes.
    const std::string_view marked = line.substr(column, length);
    for (std::size_t i = 1; i < marked.size(); ++i) {
        if (!continuation(marked[i])) result += '~';
    }
    if (!d.hint.empty()) result += "  " + d.hint;
    return result;
}

}  // namespace

std::string render(const Diagnostic& d) {
    std::string result = d.file;
    if (d.line > 0) result += ":" + std::to_string(d.line) + ":" + std::to_string(d.column);
    result += d.severity == Diagnostic::Severity::error ? ": error: " : ": warning: ";
    result += printable(d.message);
    if (d.line > 0 && !d.source_line.empty()) return result + caret_lines(d);
    if (!d.hint.empty()) result += "\n  " + d.hint;
    return result;
}

void Report::add(Diagnostic::Severity severity, const Position& at, std::string message,
                 std::string hint) {
    Diagnostic d;
    d.severity = severity;
    d.line = at.line;
    d.column = at.column;
    d.length = at.length;
    d.message = std::move(message);
    d.hint = std::move(hint);
    if (at.source != nullptr) {
        d.file = *at.source->file;
        d.source_line = at.source->line(at.line);
    }
    diagnostics_.push_back(std::move(d));
}

void Report::error(const Position& at, std::string message, std::string hint) {
    ++errors_;
    add(Diagnostic::Severity::error, at, std::move(message), std::move(hint));
}

void Report::warning(const Position& at, std::string message, std::string hint) {
    add(Diagnostic::Severity::warning, at, std::move(message), std::move(hint));
}

std::vector<Diagnostic> Report::take(const std::vector<std::string>& file_order) {
    std::unordered_map<std::string_view, std::size_t> rank;
    for (std::size_t i = 0; i < file_order.size(); ++i) rank.emplace(file_order[i], i);
    const auto place = [&](const Diagnostic& d) {
        const auto found = rank.find(d.file);
        return std::tuple(found == rank.end() ? rank.size() : found->second, d.line, d.column);
    };
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                     [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
    return std::move(diagnostics_);
}

}  // namespace proxyd::config
