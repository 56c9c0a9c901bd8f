#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

/// `caches`, into Snapshot::caches.
void store_caches(Reader& reader, const Key& key, const Node& node, void* target);

}  // namespace proxyd::config
