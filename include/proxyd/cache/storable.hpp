#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxyd/cache/entry.hpp"
#include "proxyd/http/fields/cache_control.hpp"

namespace proxyd::cache {

/// Whether an answer may be stored, or why not; the words go into Cache-Status (RFC 9211 2.8).
enum class Storable : std::uint8_t {
    yes,
    request_no_store,  ///< RFC 9111 5.2.1.5
    ordered,           ///< the operator's `no_store`
    no_store,
    is_private,
    no_cache,       ///< would have to be asked for each time
    set_cookie,     ///< belongs to one client, whatever else it says
    authorization,  ///< RFC 9111 3.5, and stricter: only `public` opens it
    vary,           ///< "*", or more fields than we keep apart
    status,         ///< 206, 304, must-understand
    no_lifetime,    ///< nothing says how long
    expired,        ///< stale on arrival
    too_large,
    purged,  ///< while it was on its way
    no_room,
};
[[nodiscard]] std::string_view word(Storable verdict) noexcept;

/// An answer to a GET, as it is judged.
struct Answer {
    int status = 0;
    const http::HeaderMap* fields = nullptr;
    bool authorized = false;  ///< the request had Authorization
    /// What the operator's `valid` says of this status, ms; only where the answer says nothing.
    std::optional<std::int64_t> valid;
    UnixMilliseconds asked_at = 0, received_at = 0;
};

struct Judgement {
    Storable storable = Storable::yes;
    Validity validity;  ///< complete even when it may not be stored
};
/// RFC 9111 3 and 4.2, for a shared cache. Of the times X-Accel-Expires goes before
/// CDN-Cache-Control (RFC 9213), s-maxage, max-age, Expires and `valid`.
[[nodiscard]] Judgement judge(const Answer& answer) noexcept;

/// The head to store. `key_text` and what belongs to the key are left to the caller.
[[nodiscard]] boost::intrusive_ptr<StoredHead> make_head(const Answer& answer,
                                                         const Validity& validity);
/// RFC 9111 3.2, 4.3.4: the stored head as the 304 in `answer` updates it; null when the 304 is
/// about another representation (its strong ETag is not the stored one).
[[nodiscard]] boost::intrusive_ptr<StoredHead> freshen(const StoredHead& stored,
                                                       const Answer& answer);
/// The fields of a stored head for judge(). Views into it.
[[nodiscard]] http::HeaderMap fields_of(const StoredHead& head);

}  // namespace proxyd::cache
