#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/config/model.hpp"

namespace proxyd::config {

/// The text of one file (or of one -g override), kept for caret lines until load() returns.
struct Source {
    std::shared_ptr<const std::string> file;
    std::string text;
    std::vector<std::size_t> line_starts;

    Source(std::string name, std::string content);
    /// From 1; empty behind the last line. Without the line end.
    [[nodiscard]] std::string_view line(int number) const noexcept;
};

/// A place in a Source. Sources outlive every Position: the load keeps them.
struct Position {
    const Source* source = nullptr;
    std::int32_t line = 0;  ///< from 1; 0 = the whole file or a default
    std::int32_t column = 0;
    std::int32_t length = 1;

    [[nodiscard]] Origin origin() const;
    /// "file:line:column" for messages that name a second place.
    [[nodiscard]] std::string text() const;
};

}  // namespace proxyd::config
