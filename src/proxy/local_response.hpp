#pragma once

#include <string>

#include "exchange.hpp"

namespace proxyd::proxy {

/// An answer made by us. Response header rules apply to it as to any other; the views live in the
/// exchange's arena or longer.
struct LocalResponse {
    int status = 0;
    std::string_view content_type;
    std::string_view body;
    std::string_view location;  ///< redirects
    std::string_view allow;     ///< 405
    std::string_view grpc_status, grpc_message;  ///< of a call that failed
    const http::HeaderMap* of_upstream = nullptr;  ///< whose fields the status needs, if any
};
Task<void> respond(Exchange& exchange, LocalResponse answer);

/// The answer that an error asks for: the operator's page or ours, with the reason word; where an
/// answer is no longer possible the stream is cut. Sets status, reason and detail of the exchange.
Task<void> respond_error(Exchange& exchange, Error why);
/// The operator's page instead of the upstream's own error answer (intercept_errors).
Task<void> respond_intercepted(Exchange& exchange, int status);

}  // namespace proxyd::proxy
