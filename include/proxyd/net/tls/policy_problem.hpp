#pragma once

#include <cstdint>
#include <string>

namespace proxyd::net::tls {

/// Why settings cannot be used, and which of them.
struct PolicyProblem {
    enum class Part : std::uint8_t { ca, certificate, key, ciphers, ciphersuites } part = Part::ca;
    std::string text;
    std::string hint{};
};

}  // namespace proxyd::net::tls
