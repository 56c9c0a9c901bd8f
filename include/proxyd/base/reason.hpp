#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd {

/// Why we answered, or ended an exchange, ourselves. The words are a contract: the access log, the
/// metrics and the error page show them, and they never change once released.
/// One row: enumerator (= the word), status of the answer, text for people.
#define PROXYD_REASONS(X)                                                                      \
    X(none, 0, "")                                                                             \
    X(bad_request, 400, "the request is not valid HTTP")                                       \
    X(bad_path, 400, "the path of the request can be read in more than one way")               \
    X(bad_host, 400, "the Host of the request is missing, repeated or not valid")              \
    X(body_malformed, 400, "the body of the request is not valid HTTP")                        \
    X(upgrade_refused, 403, "upgrades are turned off here")                                    \
    X(no_host, 404, "no host of the configuration has this name")                              \
    X(no_location, 404, "no location of this host matches this path")                          \
    X(method_not_allowed, 405, "this method is not allowed here")                              \
    X(client_timeout_header, 408, "the head of the request did not arrive in time")            \
    X(client_timeout_body, 408, "the body of the request did not arrive in time")              \
    X(client_timeout_send, 0, "the client did not take the answer in time")                    \
    X(body_too_large, 413, "the body of the request is larger than max_body_size")             \
    X(uri_too_long, 414, "the request line is longer than max_header_size")                    \
    X(misdirected, 421, "this connection does not serve this host")                            \
    X(header_too_large, 431, "the head of the request is larger than the configured limits")   \
    X(client_closed, 499, "the client closed the connection before the answer")                \
    X(internal_error, 500, "the proxy failed")                                                 \
    X(method_unknown, 501, "this method is not implemented")                                   \
    X(coding_unknown, 501, "this transfer coding is not implemented")                          \
    X(upstream_refused, 502, "the upstream refused the connection")                            \
    X(upstream_unreachable, 502, "the upstream cannot be reached")                             \
    X(upstream_reset, 502, "the upstream reset the connection")                                \
    X(upstream_closed, 502, "the upstream closed the connection before answering")             \
    X(upstream_bad_response, 502, "the upstream did not answer in valid HTTP")                 \
    X(upstream_header_too_large, 502, "the upstream's answer has a head above buffers.header") \
    X(upstream_tls_failed, 502, "the TLS handshake with the upstream failed")                  \
    X(upstream_certificate_untrusted, 502, "the upstream's certificate is not trusted")        \
    X(upstream_certificate_expired, 502, "the upstream's certificate is out of date")          \
    X(upstream_certificate_name, 502, "the upstream's certificate is for another name")        \
    X(cache_hit, 0, "answered from the cache")                                                 \
    X(not_in_cache, 504, "the request wants an answer from the cache, and there is none")      \
    X(upstream_status, 0, "the upstream answered with a status that retry.on lists")           \
    X(upstream_body_cut, 0, "the upstream's answer ended early")                               \
    X(no_live_upstream, 502, "no server of the upstream is available")                         \
    X(no_healthy_upstream, 503, "every server of the upstream is unhealthy or out by order")   \
    X(overloaded, 503, "the proxy is out of resources")                                        \
    X(upstream_busy, 503, "every server of the upstream is at max_conns")                      \
    X(queue_full, 503, "as many requests as queue.size allows wait for the upstream")          \
    X(queue_timeout, 503, "no server of the upstream became free within queue.timeout")        \
    X(shutting_down, 503, "the proxy is shutting down")                                        \
    X(upstream_timeout_connect, 504, "the upstream did not accept in time (timeouts.connect)") \
    X(upstream_timeout_tls, 504, "the TLS handshake took longer than timeouts.connect")        \
    X(upstream_timeout_send, 504, "the upstream did not take the request (timeouts.send)")     \
    X(upstream_timeout_read, 504, "the upstream did not answer in time (timeouts.read)")       \
    X(timeout_total, 504, "the exchange took longer than timeouts.total")                      \
    X(timeout_upgraded, 0, "the tunnel was silent for timeouts.upgraded")                      \
    X(proxy_protocol_invalid, 0, "the connection does not begin with a PROXY protocol header") \
    X(proxy_protocol_timeout, 0, "the PROXY protocol header did not arrive in time")           \
    X(tls_handshake_failed, 0, "the TLS handshake with the client failed")                     \
    X(tls_handshake_timeout, 0, "the TLS handshake did not end in time")                       \
    X(http2_protocol_error, 0, "the client broke the rules of HTTP/2")                         \
    X(http2_flood, 0, "the client sent more frames without use than the limits allow")         \
    X(stream_reset, 499, "the client reset the stream before the answer")                      \
    X(version_unsupported, 505, "this version of HTTP is not supported")                       \
    X(tunnel_closed, 0, "the tunnel was closed")

enum class Reason : std::uint8_t {
#define PROXYD_REASON_ENUM(name, status, text) name,
    PROXYD_REASONS(PROXYD_REASON_ENUM)
#undef PROXYD_REASON_ENUM
};

/// The stable word, e.g. "upstream_refused"; empty for none.
[[nodiscard]] std::string_view word(Reason reason) noexcept;
/// One sentence without a full stop, for the page and the log.
[[nodiscard]] std::string_view describe(Reason reason) noexcept;
/// Status of our answer; 0 where no answer can be given any more.
[[nodiscard]] int status_of(Reason reason) noexcept;

}  // namespace proxyd
