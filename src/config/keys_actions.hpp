#pragma once

#include <optional>

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kReturnTable;
extern const Table kRedirectTable;
extern const Table kRewriteTable;
extern const Table kSplitTable;

[[nodiscard]] std::optional<PathRule> read_rewrite(Reader& reader, const Node& node);

}  // namespace proxyd::config
