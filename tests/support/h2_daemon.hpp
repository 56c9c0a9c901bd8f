#pragma once

#include "support/daemon.hpp"
#include "support/h2_client.hpp"

#include <string>

namespace proxyd::test {

// A configuration whose plain listener speaks HTTP/2 by prior knowledge too.
inline std::string with_http2(std::string_view yaml, std::string_view listener_keys = {}) {
    return std::string(yaml) + "listeners: { http: { address: \"127.0.0.1:@HTTP@\", http2: true" +
           std::string(listener_keys) + " } }\n";
}

inline constexpr auto kEveryHostH2 = "hosts: { \"*\": @UP1@ }\n";

}  // namespace proxyd::test
