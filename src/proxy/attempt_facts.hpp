#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// What the request gives to the choice of a peer of `group`, to TLS and to the PROXY protocol.
/// Views of the exchange.
void add_request_facts(const Exchange& exchange, const upstream::Group& group,
                       upstream::AttemptSettings& settings);

}  // namespace proxyd::proxy
