#pragma once

#include "config/report.hpp"
#include "config/source.hpp"

namespace proxyd::config {

/// What must hold before the text goes to the YAML library: valid UTF-8 (RFC 3629), no NUL or
/// other control character, a bounded size.
[[nodiscard]] bool check_text(const Source& source, Report& report);

struct QuotedText {
    std::size_t skipped = 0;  ///< an anchor before the quote
    std::size_t length = 0;   ///< with both quotes, on the first line
    bool open = false;        ///< the file ends before the closing quote
};
/// Measures the quoted scalar at `at`. A block scalar ('|', '>') has length 1.
[[nodiscard]] QuotedText find_quotes(const Source& source, const Position& at);

}  // namespace proxyd::config
