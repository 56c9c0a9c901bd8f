#pragma once

#include <string>
#include <vector>

#include "config/source.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::config {

/// Collects the diagnostics of one load; one thread.
class Report {
  public:
    void error(const Position& at, std::string message, std::string hint = {});
    void warning(const Position& at, std::string message, std::string hint = {});

    [[nodiscard]] bool failed() const noexcept { return errors_ != 0; }
    /// So far: whoever sees it grow does not report what only follows from those errors.
    [[nodiscard]] std::size_t errors() const noexcept { return errors_; }
    /// Sorted by file (in the order in which they were read), line and column.
    [[nodiscard]] std::vector<Diagnostic> take(const std::vector<std::string>& file_order);

  private:
    void add(Diagnostic::Severity severity, const Position& at, std::string message,
             std::string hint);

    std::vector<Diagnostic> diagnostics_;
    std::size_t errors_ = 0;
};

}  // namespace proxyd::config
