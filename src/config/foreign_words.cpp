#include "config/suggest.hpp"

namespace proxyd::config {

std::string foreign_hint(std::string_view) { return ""; }

}  // namespace proxyd::config
