#pragma once

#include <string>

#include "proxyd/cache/entry.hpp"

namespace proxyd::cache {

/// Which entries a purge means.
struct Selector {
    enum class Kind : std::uint8_t { url, prefix, tag, all } kind = Kind::url;
    std::string text;   ///< the URL or its beginning; the tag
    bool soft = false;  ///< they become stale instead of being removed

    /// A variant is selected by its URL too.
    [[nodiscard]] bool matches(const StoredHead& head) const noexcept;
    friend bool operator==(const Selector&, const Selector&) = default;
};

}  // namespace proxyd::cache
