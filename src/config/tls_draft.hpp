#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/reader.hpp"
#include "proxyd/net/tls/server_policy.hpp"

namespace proxyd::config {

/// A file that is named, and where.
struct NamedFile {
    std::string path;
    Position at;
    [[nodiscard]] bool given() const noexcept { return at.source != nullptr; }
};

/// `tls` of a host as written, before its files are put to use together.
struct TlsDraft {
    struct Pair {
        NamedFile certificate, key;
        Position at;
    };
    Pair single;
    std::vector<Pair> pairs;
    net::tls::ServerSettings settings;
    NamedFile client_ca;
    Position ciphers, ciphersuites, client_verify, certificates;
};

/// What a draft without errors makes; null after a report. `at`: the key `tls`.
[[nodiscard]] std::shared_ptr<const HostTls> make_host_tls(Reader& reader, TlsDraft& draft,
                                                           const Position& at);

/// Names of the host that its certificates are not for.
void warn_of_names(Reader& reader, const Host& host, const Position& at);

}  // namespace proxyd::config
