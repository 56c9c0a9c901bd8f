#pragma once

#include "config/report.hpp"
#include "config/yaml_tree.hpp"

namespace proxyd::config {

/// Puts the entries of `from` into `into`. Maps merge; anything else given twice is an error that
/// names both places.
void merge_file(Node& into, Node from, Report& report);
/// As above, but what `from` says wins: for -g.
void override_with(Node& into, Node from);

}  // namespace proxyd::config
