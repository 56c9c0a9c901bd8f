#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kHealthTable;

void store_health_check(Reader& reader, const Key& key, const Node& node, void* upstream);

}  // namespace proxyd::config
