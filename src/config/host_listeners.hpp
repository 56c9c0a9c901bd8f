#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

/// What a host says of where it is served, and where it says so.
struct HostListening {
    bool own = false;  ///< `tls` stands in the host itself and is on
    Position at;       ///< of it
    Position listen_at;
    std::optional<bool> redirect_http;
    Position redirect_at;
};

/// Leaves the host the listeners that fit: without `tls` the plain ones only. `host_at`: its name.
void fit_listeners(Reader& reader, const HostListening& said, const Position& host_at, Host& host);

/// A TLS listener on which no host has a certificate could answer nobody.
void check_tls_listeners(Reader& reader);

}  // namespace proxyd::config
