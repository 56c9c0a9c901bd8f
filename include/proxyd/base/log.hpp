#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "proxyd/base/result.hpp"

/// The error log (spdlog behind it). The one singleton: any thread may write at any time. A line:
/// `2026-01-31T12:00:00.123Z level message`, control characters escaped. Never blocks on a full
/// pipe for longer than the kernel does, never fails the caller.
namespace proxyd::log {

enum class Level : int { trace, debug, info, warn, error, critical, off };

/// `path`: "stderr", "stdout", "syslog" or a file (appended to). On an error the old sink stays.
Result<void> open(const std::string& path, Level level);
/// Opens the file again (USR1); no-op for the others.
Result<void> reopen();
[[nodiscard]] Level parse_level(std::string_view name) noexcept;
[[nodiscard]] bool enabled(Level level) noexcept;
void write(Level level, std::string_view message) noexcept;

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::warn)) write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::error)) {
        write(Level::error, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::debug)) {
        write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
    }
}

}  // namespace proxyd::log
