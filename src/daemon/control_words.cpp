#include "daemon/control_words.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/exit_code.hpp"
#include "daemon/suggest.hpp"

namespace proxyd::daemon {

std::string ControlWords::next() {
    const std::size_t end = std::min(left_.find('\t'), left_.size());
    std::string word(left_.substr(0, end));
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return word;
}

server::ControlReply unknown_name(std::string_view what, const std::string& name,
                                  const std::vector<std::string>& known) {
    std::string text = fmt::format("proxyd: {} '{}'", what, name);
    const std::string near = nearest(name, known);
    if (!near.empty()) text += ": did you mean '" + near + "'?";
    return {kFailure, text + "\n"};
}

}  // namespace proxyd::daemon
