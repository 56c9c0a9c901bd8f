#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/report.hpp"
#include "config/yaml_tree.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::config {

/// The files of one configuration as one tree: includes merged, -g overrides applied, environment
/// variables replaced. Lives as long as the positions in the tree.
struct FileSet {
    Node root;
    std::vector<std::unique_ptr<Source>> sources;
    [[nodiscard]] std::vector<std::string> names() const;
};
[[nodiscard]] FileSet read_files(const LoadOptions& options, Report& report);

}  // namespace proxyd::config
