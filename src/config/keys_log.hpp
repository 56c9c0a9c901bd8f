#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kAccessLogTable;

void apply_log_defaults(Reader& reader);
void store_log(Reader& reader, const Key& key, const Node& node, void* snapshot);

}  // namespace proxyd::config
