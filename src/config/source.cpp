#include "config/source.hpp"

namespace proxyd::config {

Source::Source(std::string name, std::string content)
    : file(std::make_shared<const std::string>(std::move(name))), text(std::move(content)) {
    line_starts.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') line_starts.push_back(i + 1);
    }
}

std::string_view Source::line(int number) const noexcept {
    const auto index = static_cast<std::size_t>(number) - 1;
    if (number < 1 || index >= line_starts.size()) return {};
    const std::string_view rest = std::string_view(text).substr(line_starts[index]);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

Origin Position::origin() const {
    Origin result;
    if (source != nullptr) result.file = source->file;
    result.line = line;
    result.column = column;
    return result;
}

std::string Position::text() const {
    if (source == nullptr) return "the defaults";
    return *source->file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace proxyd::config
