#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxyd/config/model.hpp"

namespace proxyd::config {

/// An address or why it is none.
struct AddressResult {
    std::optional<Address> address;
    std::string problem;  ///< "'x' has no port"
    std::string hint;
};

/// What a listener binds: ":80", "*:80", "80", "0.0.0.0:80", "[::]:80", "unix:/run/x.sock".
/// Port 0 lets the system choose.
[[nodiscard]] AddressResult parse_listen_address(std::string_view text);

/// What an upstream's server is: "3000" (this machine), "127.0.0.1:3000", "[::1]:3000",
/// "app.internal:3000", "http://h:p", "https://h:p", "unix:/path". A URL with a path is refused.
[[nodiscard]] AddressResult parse_server_address(std::string_view text);

/// What `srv` names: "_http._tcp.app.internal" (RFC 2782).
[[nodiscard]] AddressResult parse_service(std::string_view text);

/// A DNS server: "10.0.0.2", "10.0.0.2:5353", "::1", "[::1]:53"; the text always has the port.
[[nodiscard]] AddressResult parse_name_server(std::string_view text);

/// Looks like an address rather than like the name of an upstream.
[[nodiscard]] bool looks_like_address(std::string_view text) noexcept;

}  // namespace proxyd::config
