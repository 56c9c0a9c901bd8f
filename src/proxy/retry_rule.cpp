#include "retry_rule.hpp"

namespace proxyd::proxy {

using config::RetryOn;

std::optional<RetryOn> retry_word(Reason reason) noexcept {
    switch (reason) {
        case Reason::upstream_refused:
        case Reason::upstream_unreachable:
        case Reason::upstream_reset:
        case Reason::upstream_closed:
        case Reason::upstream_tls_failed:
        case Reason::upstream_certificate_untrusted:
        case Reason::upstream_certificate_expired:
        case Reason::upstream_certificate_name:
            return RetryOn::error;
        case Reason::upstream_timeout_connect:
        case Reason::upstream_timeout_tls:
        case Reason::upstream_timeout_send:
        case Reason::upstream_timeout_read:
            return RetryOn::timeout;
        case Reason::upstream_bad_response:
        case Reason::upstream_header_too_large:
            return RetryOn::invalid_header;
        default:
            return std::nullopt;
    }
}

std::optional<RetryOn> retry_word(int status) noexcept {
    switch (status) {
        case 500: return RetryOn::http_500;
        case 502: return RetryOn::http_502;
        case 503: return RetryOn::http_503;
        case 504: return RetryOn::http_504;
        case 403: return RetryOn::http_403;
        case 404: return RetryOn::http_404;
        case 429: return RetryOn::http_429;
        default: return std::nullopt;
    }
}

}  // namespace proxyd::proxy
