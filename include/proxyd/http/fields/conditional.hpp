#pragma once

#include <string_view>

#include "proxyd/http/fields/date.hpp"
#include "proxyd/http/header_map.hpp"

namespace proxyd::http {

/// What a stored or local representation is compared with.
struct Validators {
    std::string_view etag;           ///< "" = none
    std::string_view last_modified;  ///< as sent; "" = none
    std::string_view date;           ///< of the answer
};

[[nodiscard]] bool is_strong_etag(std::string_view etag) noexcept;
/// Weak comparison (RFC 9110 8.8.3.2) with any entry of an If-None-Match; "*" matches all.
[[nodiscard]] bool etag_listed(std::string_view list, std::string_view etag) noexcept;

/// Whether a GET or HEAD with these fields is answered by 304 (RFC 9110 13.2.2): If-None-Match
/// decides alone where it is present.
[[nodiscard]] bool is_not_modified(const HeaderMap& request, const Validators& stored,
                                   UnixSeconds now) noexcept;
/// Whether Range holds: no If-Range, or one that is strong and matches exactly (RFC 9110 13.1.5).
[[nodiscard]] bool range_applies(const HeaderMap& request, const Validators& stored,
                                 UnixSeconds now) noexcept;

}  // namespace proxyd::http
