#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxyd/base/ip.hpp"

namespace proxyd::net {

/// What a PROXY protocol header says of the connection that it stands in front of (the protocol's
/// specification, versions 1 and 2).
struct ProxyHeader {
    /// It names no addresses (v1 UNKNOWN; v2 LOCAL, UNSPEC and UNIX): those of the socket hold.
    bool local = true;
    IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;
};

constexpr std::size_t kProxyV1Bytes = 107;   ///< the longest line, with its end
constexpr std::size_t kProxyV2Bytes = 4096;  ///< our bound on addresses and TLVs, with the start

struct ProxyParse {
    enum class State : std::uint8_t { incomplete, complete, bad } state = State::incomplete;
    std::size_t size = 0;  ///< complete: of the header; the client's own bytes follow
    ProxyHeader header;
    std::string_view problem{};  ///< bad: why
};

/// Reads the header at the front of `bytes`. Strict: what the specification does not allow is bad,
/// and as soon as it can be told. TLVs are skipped.
[[nodiscard]] ProxyParse parse_proxy_header(std::string_view bytes);

/// Appends the header. Addresses of two families are both written as IPv6.
void append_proxy_v1(std::string& out, const ProxyHeader& header);
void append_proxy_v2(std::string& out, const ProxyHeader& header);

}  // namespace proxyd::net
