#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

/// The bit of nginx's word for a failure; 0: there is no such word.
[[nodiscard]] std::uint32_t retry_bit(std::string_view word) noexcept;
inline constexpr std::string_view kRetryList =
    "error|timeout|invalid_header|http_500|http_502|http_503|http_504|http_403|http_404|http_429";

extern const Table kRetryTable;

/// A map, or off.
void store_retry(Reader& reader, const Key& key, const Node& node, void* upstream);

}  // namespace proxyd::config
