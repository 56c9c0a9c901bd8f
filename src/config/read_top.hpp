#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

/// The whole tree into reader.snapshot.
void read_top(Reader& reader, const Node& root);

}  // namespace proxyd::config
