#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/cache/key.hpp"

namespace proxyd::cache::disk {

/// Where the files of a zone lie: below `root`, in directories named after the last digits of the
/// key, as nginx does it: levels 1:2 put ...029c into c/29/. Immutable.
class Tree {
  public:
    Tree(std::string root, std::vector<unsigned> levels)
        : root_(std::move(root)), levels_(std::move(levels)) {}

    [[nodiscard]] const std::string& root() const noexcept { return root_; }
    [[nodiscard]] std::size_t depth() const noexcept { return levels_.size(); }
    [[nodiscard]] std::string path(const Key& key) const;
    /// In the same directory, of a name that nobody can guess.
    [[nodiscard]] std::string temporary_path(const Key& key) const;
    /// Those that `path(key)` lies in, the root too where it is gone. errno, or 0.
    [[nodiscard]] int make_directories(const Key& key) const;
    [[nodiscard]] int make_root() const;

    enum class Name { entry, temporary, foreign };
    [[nodiscard]] static Name kind_of(std::string_view name) noexcept;
    /// Of a name of kind `temporary`: not left over from a process that was killed.
    [[nodiscard]] static bool is_of_this_process(std::string_view name) noexcept;
    /// Of a name of kind `entry`.
    [[nodiscard]] static Key key_of_name(std::string_view name) noexcept;

  private:
    [[nodiscard]] std::string directory(const Key& key, std::size_t depth) const;

    std::string root_;
    std::vector<unsigned> levels_;
};

}  // namespace proxyd::cache::disk
