#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// What a request brings to the choice of a peer of `group` and to the connections there. The
/// views are of the exchange.
[[nodiscard]] upstream::AttemptSettings attempt_settings(const Exchange& exchange,
                                                         const upstream::Group& group,
                                                         const config::EffectiveTimeouts& timeouts);

}  // namespace proxyd::proxy
