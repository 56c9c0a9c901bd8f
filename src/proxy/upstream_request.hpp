#pragma once

#include "exchange.hpp"
#include "proxyd/policy/forwarded.hpp"
#include "request_body.hpp"

namespace proxyd::proxy {

/// exchange.outgoing: the client's request as the upstream gets it. Hop-by-hop and imitating
/// fields gone, X-Forwarded-*, Via and X-Request-ID set, the operator's rules applied last. Made
/// once: whoever needs it calls this.
void build_upstream_request(Exchange& exchange);
[[nodiscard]] policy::ForwardedFacts forwarded_facts(const Exchange& exchange);
/// As the client sees it: a trusted proxy may have ended its TLS.
[[nodiscard]] http::Scheme client_scheme(const Exchange& exchange);

/// Whether the body is read before the upstream is contacted.
[[nodiscard]] bool wants_request_buffering(const http::RequestHead& head,
                                           const config::Policy& policy);
/// A chunked body that is complete in memory goes out with its length.
void settle_framing(const RequestBody& body, http::RequestHead& outgoing);

}  // namespace proxyd::proxy
