#pragma once

#include <memory>
#include <string>

namespace proxyd::config {

/// The content of a regular file of at most 1 MiB (opening a pipe would wait for its writer), or
/// null and why: "cannot be read: ...".
[[nodiscard]] std::shared_ptr<const std::string> read_small_file(const std::string& path,
                                                                 std::string& problem);

}  // namespace proxyd::config
