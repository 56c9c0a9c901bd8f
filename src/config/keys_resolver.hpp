#pragma once

#include "config/key_table.hpp"

namespace proxyd::config {

extern const Table kResolverTable;

}  // namespace proxyd::config
