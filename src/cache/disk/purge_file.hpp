#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/disk/purge_log.hpp"

namespace proxyd::cache::disk {

/// Purges whose walk over the files has not ended lie in a file of this name in the root of the
/// zone, so that they outlive the process. Blocking.
constexpr std::string_view kPurgeFileName = "open-purges";

/// Replaces the file; no purges: removes it. errno, or 0.
[[nodiscard]] int save_purges(const std::string& root, const std::vector<OpenPurge>& purges);
/// None where there is no file, or no whole one.
[[nodiscard]] std::vector<OpenPurge> load_purges(const std::string& root);

}  // namespace proxyd::cache::disk
