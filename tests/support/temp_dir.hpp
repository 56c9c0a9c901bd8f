#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace proxyd::test {

// A fresh directory that goes away with the object (kept when PROXYD_KEEP_TEMP is set).
class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    // Writes a file below the directory (folders are made) and returns its whole path.
    std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const;

  private:
    std::filesystem::path path_;
};

// The whole file, or an empty text when there is none.
std::string read_file(const std::filesystem::path& path);

}  // namespace proxyd::test
