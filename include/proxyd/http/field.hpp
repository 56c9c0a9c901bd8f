#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd::http {

/// Fields that some part of the proxy looks at. One row: enumerator, name as we send it.
#define PROXYD_FIELDS(X)                                   \
    X(accept_encoding, "Accept-Encoding")                  \
    X(age, "Age")                                          \
    X(allow, "Allow")                                      \
    X(authorization, "Authorization")                      \
    X(cache_control, "Cache-Control")                      \
    X(cdn_cache_control, "CDN-Cache-Control")              \
    X(connection, "Connection")                            \
    X(content_encoding, "Content-Encoding")                \
    X(content_length, "Content-Length")                    \
    X(content_location, "Content-Location")                \
    X(content_range, "Content-Range")                      \
    X(content_type, "Content-Type")                        \
    X(cookie, "Cookie")                                    \
    X(date, "Date")                                        \
    X(etag, "ETag")                                        \
    X(expect, "Expect")                                    \
    X(expires, "Expires")                                  \
    X(forwarded, "Forwarded")                              \
    X(host, "Host")                                        \
    X(http2_settings, "HTTP2-Settings")                    \
    X(if_match, "If-Match")                                \
    X(if_modified_since, "If-Modified-Since")              \
    X(if_none_match, "If-None-Match")                      \
    X(if_range, "If-Range")                                \
    X(if_unmodified_since, "If-Unmodified-Since")          \
    X(keep_alive, "Keep-Alive")                            \
    X(last_modified, "Last-Modified")                      \
    X(location, "Location")                                \
    X(pragma, "Pragma")                                    \
    X(proxy_authenticate, "Proxy-Authenticate")            \
    X(proxy_authorization, "Proxy-Authorization")          \
    X(proxy_connection, "Proxy-Connection")                \
    X(range, "Range")                                      \
    X(referer, "Referer")                                  \
    X(refresh, "Refresh")                                  \
    X(retry_after, "Retry-After")                          \
    X(server, "Server")                                    \
    X(set_cookie, "Set-Cookie")                            \
    X(strict_transport_security, "Strict-Transport-Security") \
    X(te, "TE")                                            \
    X(trailer, "Trailer")                                  \
    X(transfer_encoding, "Transfer-Encoding")              \
    X(upgrade, "Upgrade")                                  \
    X(user_agent, "User-Agent")                            \
    X(vary, "Vary")                                        \
    X(via, "Via")                                          \
    X(www_authenticate, "WWW-Authenticate")                \
    X(x_accel_buffering, "X-Accel-Buffering")              \
    X(x_accel_expires, "X-Accel-Expires")                  \
    X(x_content_type_options, "X-Content-Type-Options")    \
    X(x_forwarded_for, "X-Forwarded-For")                  \
    X(x_forwarded_host, "X-Forwarded-Host")                \
    X(x_forwarded_port, "X-Forwarded-Port")                \
    X(x_forwarded_proto, "X-Forwarded-Proto")              \
    X(x_frame_options, "X-Frame-Options")                  \
    X(x_real_ip, "X-Real-IP")                              \
    X(x_request_id, "X-Request-ID")

enum class FieldId : std::uint8_t {
    other,  ///< not in the table: compare the name
#define PROXYD_FIELD_ENUM(id, name) id,
    PROXYD_FIELDS(PROXYD_FIELD_ENUM)
#undef PROXYD_FIELD_ENUM
    count_
};
static_assert(static_cast<unsigned>(FieldId::count_) <= 64, "FieldSet holds 64");

/// ASCII case-insensitive; `other` for names outside the table.
[[nodiscard]] FieldId classify(std::string_view name) noexcept;
/// The name as we send it; empty for `other`.
[[nodiscard]] std::string_view name_of(FieldId id) noexcept;

/// A set of known fields in one word.
class FieldSet {
  public:
    constexpr FieldSet() = default;
    template <class... Ids>
    constexpr explicit FieldSet(FieldId first, Ids... rest) : bits_(bit(first)) {
        ((bits_ |= bit(rest)), ...);
    }
    constexpr void insert(FieldId id) noexcept { bits_ |= bit(id); }
    [[nodiscard]] constexpr bool contains(FieldId id) const noexcept {
        return (bits_ & bit(id)) != 0;
    }
    [[nodiscard]] constexpr FieldSet operator|(FieldSet more) const noexcept {
        FieldSet both;
        both.bits_ = bits_ | more.bits_;
        return both;
    }

  private:
    static constexpr std::uint64_t bit(FieldId id) noexcept {
        return id == FieldId::other ? 0 : std::uint64_t{1} << static_cast<unsigned>(id);
    }
    std::uint64_t bits_ = 0;
};

}  // namespace proxyd::http
