#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "proxyd/config/load.hpp"

/// Shared by the tests of the configuration.
namespace proxyd::config {

inline LoadResult load_text(std::string text, std::vector<std::string> overrides = {}) {
    LoadOptions options;
    options.path = "test.yaml";
    options.text = std::move(text);
    options.overrides = std::move(overrides);
    return load(options);
}

/// "line:column message | hint" for each diagnostic.
inline std::vector<std::string> said(const LoadResult& result) {
    std::vector<std::string> lines;
    for (const Diagnostic& d : result.diagnostics) {
        lines.push_back(std::to_string(d.line) + ":" + std::to_string(d.column) + " " + d.message +
                        (d.hint.empty() ? "" : " | " + d.hint));
    }
    return lines;
}

inline std::vector<std::string> errors_of(std::string text) {
    const LoadResult result = load_text(std::move(text));
    EXPECT_EQ(result.snapshot, nullptr);
    return said(result);
}

/// The snapshot of a text that must load; a failed test otherwise.
inline std::shared_ptr<const Snapshot> must_load(std::string text,
                                                 std::vector<std::string> overrides = {}) {
    const LoadResult result = load_text(std::move(text), std::move(overrides));
    for (const std::string& line : said(result)) ADD_FAILURE() << line;
    // Ends this test only: what follows would reach into what is not there.
    if (result.snapshot == nullptr) throw std::runtime_error("the text does not load");
    return result.snapshot;
}

/// The lines without their origin comments.
inline std::string without_comments(const std::string& text) {
    std::string result;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start);
        if (!line.starts_with('#')) result += line.substr(0, line.rfind("  # ")) + "\n";
        start = end + 1;
    }
    return result;
}

/// A directory of files that goes away with the test.
class Directory {
  public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "config.XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string write(const std::string& name, const std::string& content) const {
        const std::filesystem::path file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
        // A key that everyone can read is warned of.
        std::filesystem::permissions(file, std::filesystem::perms(0600));
        return file.string();
    }
    [[nodiscard]] std::string path(const std::string& name) const {
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

inline LoadResult load_file(const std::string& path) {
    LoadOptions options;
    options.path = path;
    return load(options);
}

}  // namespace proxyd::config
