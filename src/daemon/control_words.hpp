#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxyd/server/control.hpp"

namespace proxyd::daemon {

/// The words of a line of the control socket, behind its prefix: tabs lie between them.
class ControlWords {
  public:
    explicit ControlWords(std::string_view words) : left_(words) {}
    /// Empty behind the last one.
    std::string next();

  private:
    std::string_view left_;
};

/// "proxyd: WHAT 'name': did you mean ...?"
[[nodiscard]] server::ControlReply unknown_name(std::string_view what, const std::string& name,
                                                const std::vector<std::string>& known);

}  // namespace proxyd::daemon
