#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace proxyd::http {

/// [first, last] of a representation.
struct ByteRange {
    std::uint64_t first = 0, last = 0;
    [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct Ranges {
    enum class Kind : std::uint8_t {
        whole,          ///< not a Range that we honour: 200
        partial,        ///< 206 with `list`
        unsatisfiable,  ///< 416
    } kind = Kind::whole;
    std::vector<ByteRange> list;
};

/// RFC 9110 14.1.2 and 14.2 for a representation of `size` bytes. What is not valid, of another
/// unit, of more than 16 parts, or asks for more bytes than there are, is ignored.
[[nodiscard]] Ranges parse_range(std::string_view value, std::uint64_t size);

}  // namespace proxyd::http
