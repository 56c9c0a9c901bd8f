#pragma once

#include "config/report.hpp"
#include "config/yaml_tree.hpp"

namespace proxyd::config {

/// Replaces ${NAME} and ${NAME:-default} in every scalar and key below `node` by environment
/// variables. NAME is upper case; ${lower} without ":-" belongs to the $variables of a request.
/// The value is text, whatever it holds: it is never read as YAML.
void substitute_environment(Node& node, Report& report);

}  // namespace proxyd::config
