#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

void store_listeners(Reader& reader, const Key& key, const Node& node, void* snapshot);

}  // namespace proxyd::config
