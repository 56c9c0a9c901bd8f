#include "config/yaml_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace proxyd::config {
namespace {

bool plain_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./$-:+").find(c) != std::string_view::npos;
}

/// Nothing in it that YAML, in block or flow, could take for something else.
bool plain(std::string_view text) {
    if (text.empty() || text.front() == '-' || text.front() == ':' || text.back() == ':') {
        return false;
    }
    for (const std::string_view word : {"null", "Null", "NULL", "...", "---"}) {
        if (text == word) return false;
    }
    return std::all_of(text.begin(), text.end(), plain_character);
}

bool control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::string double_quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (control(c)) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            result += c;
        }
    }
    return result + '"';
}

std::string comment_of(const Position& at) {
    if (at.source == nullptr) return "default";
    std::string file = *at.source->file;
    std::replace_if(file.begin(), file.end(), control, '?');
    return file + ":" + std::to_string(at.line);
}

std::string flow_list(const Node& list) {
    std::string result;
    for (const Node& item : list.items) {
        result += result.empty() ? "[" : ", ";
        result += yaml_scalar(item.text);
    }
    return result + "]";
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
    if (plain(text)) return std::string(text);
    if (std::any_of(text.begin(), text.end(), control)) return double_quoted(text);
    std::string result = "'";
    for (const char c : text) {
        result += c;
        if (c == '\'') result += c;
    }
    return result + "'";
}

void YamlWriter::line(std::string_view key, std::string_view yaml, std::string_view comment) {
    indent();
    out_ += yaml_scalar(key);
    out_ += ':';
    if (!yaml.empty()) out_ += ' ';
    out_ += yaml;
    out_ += "  # ";
    out_ += comment;
    out_ += '\n';
}

void YamlWriter::open(std::string_view key, const Position& at) {
    line(key, "", comment_of(at));
    ++depth_;
}

void YamlWriter::open_item(const Position& at) {
    indent();
    out_ += "-  # " + comment_of(at) + "\n";
    ++depth_;
}

void YamlWriter::value(std::string_view key, std::string_view yaml, const Position& at) {
    line(key, yaml, comment_of(at));
}

void YamlWriter::fallback(std::string_view key, std::string_view yaml) {
    line(key, yaml, "default");
}

void YamlWriter::close_or_erase(std::size_t start, std::size_t body) {
    --depth_;
    if (out_.size() == body) out_.resize(start);
}

void YamlWriter::tree(std::string_view key, const Node& node) {
    const Position& at = node.key_at.source != nullptr ? node.key_at : node.at;
    if (node.is_null()) return value(key, "", at);
    if (node.is_scalar()) return value(key, yaml_scalar(node.text), at);
    if (node.items.empty()) return value(key, node.is_map() ? "{}" : "[]", at);
    if (std::all_of(node.items.begin(), node.items.end(),
                    [&](const Node& child) { return node.is_list() && child.is_scalar(); })) {
        return value(key, flow_list(node), at);
    }
    open(key, at);
    for (const Node& child : node.items) {
        if (node.is_map()) {
            tree(child.key, child);
        } else {
            item(child);
        }
    }
    close();
}

void YamlWriter::item(const Node& node) {
    if (node.is_scalar()) {
        indent();
        out_ += "- " + yaml_scalar(node.text) + "  # " + comment_of(node.at) + "\n";
        return;
    }
    open_item(node.at);
    for (const Node& child : node.items) {
        if (node.is_map()) {
            tree(child.key, child);
        } else {
            item(child);
        }
    }
    close();
}

}  // namespace proxyd::config
