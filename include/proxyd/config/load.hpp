#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxyd/config/model.hpp"

namespace proxyd::config {

struct Diagnostic {
    enum class Severity : std::uint8_t { error, warning } severity = Severity::error;
    std::string file;
    int line = 0;    ///< from 1; 0 = the whole file
    int column = 0;  ///< from 1
    int length = 1;  ///< of the marked text
    std::string message;
    std::string hint;         ///< "did you mean 'upstream'?" or ""
    std::string source_line;  ///< for the caret
};
/// configuration.md section 5, with the caret line, no trailing newline.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);

/// Looks the names up, all at one time; for each what is wrong with it, "" = it resolves.
using NameCheck = std::function<std::vector<std::string>(const std::vector<AskedName>& names,
                                                         const Resolver& resolver)>;

struct LoadOptions {
    std::string path;
    std::vector<std::string> overrides;  ///< -g 'key: value', YAML, applied to the top level
    std::string text;  ///< when not empty, instead of the file's content (path then only names it)
    NameCheck check_names = {};  ///< unset: names are not looked up
    /// What is served now; its certificates are used again where their files have not changed.
    std::shared_ptr<const Snapshot> served = nullptr;
};

struct LoadResult {
    std::shared_ptr<const Snapshot> snapshot;  ///< null when there is an error
    std::vector<Diagnostic> diagnostics;       ///< all of them, errors and warnings
};
/// Reads, merges and validates. No side effect: nothing is created, opened for writing or bound.
[[nodiscard]] LoadResult load(const LoadOptions& options);

/// -T: the merged, normalised configuration as YAML with origin comments.
[[nodiscard]] std::string dump(const LoadOptions& options);
/// docs/reference/keys.md, from the key tables.
[[nodiscard]] std::string reference_markdown();

}  // namespace proxyd::config
