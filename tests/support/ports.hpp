#pragma once

#include <cstdint>

namespace proxyd::test {

// A loopback TCP port on which nothing listens and which no other test process takes until this
// process ends. It lies below the kernel's range for outgoing connections.
std::uint16_t claim_port();

}  // namespace proxyd::test
