#pragma once

#include <memory>

#include "config/reader.hpp"

namespace proxyd::config {

/// The policy before anything was configured.
[[nodiscard]] std::shared_ptr<const Policy> builtin_policy(Reader& reader);
void store_defaults(Reader& reader, const Key& key, const Node& node, void* snapshot);

}  // namespace proxyd::config
