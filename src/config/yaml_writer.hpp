#pragma once

#include <string>
#include <string_view>

#include "config/yaml_tree.hpp"

namespace proxyd::config {

/// The text as a YAML scalar that reads back as the same text: plain where nothing can be
/// misread, else in single quotes, else (control characters) in double quotes.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

/// Appends lines of block YAML, each with a comment that says where it comes from.
class YamlWriter {
  public:
    explicit YamlWriter(std::string& out) : out_(out) {}

    void open(std::string_view key, const Position& at);  ///< "key:  # file:1", one level in
    void open_item(const Position& at);                   ///< "-  # file:1", one level in
    void close() { --depth_; }
    void value(std::string_view key, std::string_view yaml, const Position& at);
    void fallback(std::string_view key, std::string_view yaml);  ///< "# default"
    /// A value of any shape under `key`.
    void tree(std::string_view key, const Node& node);

    /// Takes back "key:" when nothing came below it.
    void close_or_erase(std::size_t start, std::size_t body);
    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

  private:
    void indent() { out_.append(static_cast<std::size_t>(depth_) * 2, ' '); }
    void item(const Node& node);
    void line(std::string_view key, std::string_view yaml, std::string_view comment);

    std::string& out_;
    int depth_ = 0;
};

}  // namespace proxyd::config
