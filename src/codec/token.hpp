#pragma once

#include <string_view>

#include "proxyd/base/text.hpp"

namespace proxyd::codec {

/// RFC 9110 5.6.2.
[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    for (const char c : text) {
        const bool alnum =
            (text::lower(c) >= 'a' && text::lower(c) <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && kOthers.find(c) == std::string_view::npos) return false;
    }
    return !text.empty();
}

}  // namespace proxyd::codec
