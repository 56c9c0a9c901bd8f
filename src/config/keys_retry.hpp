#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kRetryTable;

/// A map, or off.
void store_retry(Reader& reader, const Key& key, const Node& node, void* upstream);

}  // namespace proxyd::config
