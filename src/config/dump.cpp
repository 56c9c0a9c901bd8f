#include "proxyd/config/load.hpp"

namespace proxyd::config {
std::string dump(const LoadOptions&) { return {}; }
std::string reference_markdown() { return {}; }
}  // namespace proxyd::config
