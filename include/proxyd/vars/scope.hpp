#pragma once

#include <string>
#include <string_view>

namespace proxyd::vars {

/// Variables with a fixed name; the ones with a variable part ($http_NAME ...) follow as families.
/// One row: enumerator (= name after '$').
#define PROXYD_VARS(X)                                                                          \
    X(remote_addr) X(remote_port) X(realip_remote_addr) X(proxy_protocol_addr)                \
    X(proxy_protocol_port) X(server_addr) X(server_port)            \
    X(server_name) X(server_protocol) X(scheme) X(https) X(host) X(http_host) X(hostname)        \
    X(request) X(request_method) X(request_uri) X(uri) X(document_uri) X(args) X(query_string)   \
    X(is_args) X(request_length) X(request_time) X(request_id) X(content_length)                 \
    X(content_type) X(remote_user) X(status) X(body_bytes_sent) X(bytes_sent) X(connection)      \
    X(connection_requests) X(msec) X(time_local) X(time_iso8601) X(proxy_host) X(proxy_port)     \
    X(proxy_add_x_forwarded_for) X(upstream_addr) X(upstream_status) X(upstream_response_time)   \
    X(upstream_connect_time) X(upstream_header_time) X(upstream_response_length)                 \
    X(upstream_cache_status) X(upstream_name) X(location_name) X(listener) X(reason)             \
    X(trace_id) X(pid) X(ssl_protocol) X(ssl_cipher) X(ssl_curve) X(ssl_server_name)             \
    X(ssl_session_reused) X(ssl_alpn_protocol) X(ssl_client_verify) X(ssl_client_s_dn)           \
    X(ssl_client_i_dn) X(ssl_client_serial) X(ssl_client_fingerprint) X(ssl_client_v_start)      \
    X(ssl_client_v_end) X(ssl_client_escaped_cert)

enum class Var : std::uint8_t {
#define PROXYD_VAR_ENUM(name) name,
    PROXYD_VARS(PROXYD_VAR_ENUM)
#undef PROXYD_VAR_ENUM
    // Families: the part after the prefix goes with the reference.
    http_field,           ///< $http_NAME: a request field as the client sent it
    upstream_http_field,  ///< $upstream_http_NAME
    sent_http_field,      ///< $sent_http_NAME
    cookie,               ///< $cookie_NAME
    arg,                  ///< $arg_NAME
    map,                  ///< a name defined in `maps:`
    capture,              ///< $1 .. $9 of a rewrite
};

/// What a request can answer. Implemented by proxy::Exchange; fakes in tests.
/// Unknown or absent = nothing appended.
class Scope {
  public:
    virtual ~Scope() = default;
    /// Appends the value of `var`; `name` is the lower-case family part with '_' where the field
    /// has '-' (http_field ...), or as written (cookie, arg, map).
    virtual void append(Var var, std::string_view name, std::string& out) const = 0;
};

}  // namespace proxyd::vars
