#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kServerTable;
extern const Table kTimeoutsTable;
extern const Table kStickyTable;

void store_sticky(Reader& reader, const Key& key, const Node& node, void* upstream);
void store_upstreams(Reader& reader, const Key& key, const Node& node, void* snapshot);

}  // namespace proxyd::config
