#pragma once

#include "proxyd/http/header_map.hpp"

namespace proxyd::http {

/// Fields that belong to one connection and never cross the proxy (RFC 9110 7.6.1, 11.7; RFC 9113
/// 8.2.2). What the next connection needs its codec writes itself.
inline constexpr FieldSet kHopByHop{FieldId::connection,         FieldId::proxy_connection,
                                    FieldId::keep_alive,         FieldId::te,
                                    FieldId::transfer_encoding,  FieldId::upgrade,
                                    FieldId::http2_settings,     FieldId::proxy_authenticate,
                                    FieldId::proxy_authorization};

/// Removes kHopByHop and the fields named in Connection, but never the end-to-end ones that matter
/// (Host, X-Forwarded-*, Authorization, Cookie, Content-Length, ...). Before ours are added.
void remove_hop_by_hop(HeaderMap& fields);

/// X_Forwarded_For imitates X-Forwarded-For for backends that turn '-' into '_'.
void remove_underscore_names(HeaderMap& fields);

/// Fields that decide about framing, routing, permission or content before the body is read may
/// not come behind it (RFC 9110 6.5.1). Names with an underscore neither: see above.
[[nodiscard]] bool may_be_trailer(std::string_view name) noexcept;

}  // namespace proxyd::http
