#pragma once

#include "exchange.hpp"

namespace proxyd::proxy {

/// Location, Refresh and Set-Cookie of exchange.response as the client can use them: before the
/// operator's own rules, which see the outcome.
void rewrite_answer_fields(Exchange& exchange);

/// Under which names the group's servers redirect to themselves.
[[nodiscard]] policy::OwnNames own_names_of(const upstream::Group& group);

}  // namespace proxyd::proxy
