#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kHashTable;
extern const Table kIpHashTable;
extern const Table kQueueTable;

void store_balance(Reader& reader, const Key& key, const Node& node, void* upstream);
/// Once all keys of the upstream are read.
void check_balance(Reader& reader, const Node& node, const Upstream& upstream);

}  // namespace proxyd::config
