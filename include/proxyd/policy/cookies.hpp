#pragma once

#include <string_view>

#include "proxyd/base/arena.hpp"
#include "proxyd/http/header_map.hpp"

namespace proxyd::policy {

/// Takes every cookie of exactly that name off the Cookie fields and gives the value of the first;
/// empty when there is none. The others stay as they were written, in their order; a field that
/// had nothing else goes. The value is a view into what the field viewed.
[[nodiscard]] std::string_view take_cookie(http::HeaderMap& fields, std::string_view name,
                                           Arena& arena);

}  // namespace proxyd::policy
