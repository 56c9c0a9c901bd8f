#pragma once

#include <string>
#include <string_view>

#include "proxyd/base/result.hpp"

namespace proxyd::http {

/// A request target split at the first '?'. Views into the target.
struct Target {
    std::string_view path;
    std::string_view query;  ///< without '?'
    bool has_query = false;
};
[[nodiscard]] Target split_target(std::string_view target) noexcept;

/// Whether `path` is already in the form normalise_path() would give: no '%', no "//", no dot
/// segment, no backslash. The common case: nothing needs to be copied.
[[nodiscard]] bool is_plain_path(std::string_view path) noexcept;

struct NormalisedPath {
    std::string decoded;     ///< for matching: percent-decoded, dot segments removed, "//" merged
    std::string encoded;     ///< the same path for forwarding: dot segments removed, "//" merged,
                             ///< needless escapes decoded, "%2F" and reserved escapes kept
    bool ambiguous = false;  ///< `path: strict` refuses it: an encoded slash, backslash or dot, a
                             ///< raw backslash, or ';' in a dot segment
};

/// configuration.md section 3. Error bad_path: NUL, a broken percent-escape, a climb above the
/// root, a dot segment next to an encoded slash or backslash, no leading '/'.
[[nodiscard]] Result<NormalisedPath> normalise_path(std::string_view path);

/// Whether an element of `path` is "." or ".." in some spelling, with '/' and '\\', plain or
/// encoded, between elements.
[[nodiscard]] bool has_dot_segment(std::string_view path) noexcept;

/// Percent-encodes what a request target or a Location may never hold raw: controls, space, 8-bit
/// bytes, backslash, and a '%' that begins no escape.
void append_escaped(std::string_view text, std::string& out);

/// Percent-encodes what may not stand in a path (RFC 3986 3.3); '/' and existing text are kept as
/// bytes ('%' becomes "%25").
[[nodiscard]] std::string encode_path(std::string_view decoded);

/// Host and port of an authority (RFC 9110 4.2, RFC 3986 3.2.2 without userinfo).
struct Authority {
    std::string_view host;  ///< with the brackets of an IPv6 literal
    std::string_view port;  ///< digits, may be empty
};
/// Error bad_host for anything that is not reg-name / IPv4 / [IPv6] with an optional port <= 65535.
[[nodiscard]] Result<Authority> parse_authority(std::string_view authority);

}  // namespace proxyd::http
