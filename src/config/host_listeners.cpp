#include "config/host_listeners.hpp"

#include <algorithm>

namespace proxyd::config {
namespace {

constexpr const char* kAddListener = "listeners: { https: { address: \":443\", tls: on } }";

/// Its TLS listener; the one on port 443 before others.
const Listener* tls_listener(const Reader& reader, const Host& host) {
    const Listener* found = nullptr;
    for (const Listener& listener : reader.snapshot.listeners) {
        if (!listener.tls || !host.listens_on(listener.name)) continue;
        if (found == nullptr || listener.address.port == 443) found = &listener;
    }
    return found;
}

/// A host without a certificate cannot answer where TLS is spoken.
void keep_plain(Reader& reader, const HostListening& said, const Position& host_at, Host& host) {
    std::vector<std::string> plain;
    std::string left;
    for (const Listener& listener : reader.snapshot.listeners) {
        if (!host.listens_on(listener.name)) continue;
        if (!listener.tls) plain.push_back(listener.name);
        if (listener.tls) left = listener.name;
    }
    if (left.empty()) return;
    const bool written = said.listen_at.source != nullptr;
    const Position& at = written ? said.listen_at : host_at;
    const std::string text = "host '" + host.name + "' has no tls, and listener '" + left + "' ";
    if (plain.empty()) {
        reader.report.error(at, text + "speaks nothing else",
                            "give the host tls: { certificate: FILE, key: FILE }, or a plain "
                            "listener");
    } else if (written) {
        reader.report.warning(at, text + "speaks nothing else: it is not served there");
    }
    host.listen = std::move(plain);
}

}  // namespace

void fit_listeners(Reader& reader, const HostListening& said, const Position& host_at, Host& host) {
    // A listener that was refused may be the one that fits.
    if (reader.snapshot.listeners.size() != reader.listener_names.size()) return;
    const Listener* secure = tls_listener(reader, host);
    if (host.tls != nullptr && secure == nullptr) {
        if (said.own) {
            const bool written = said.listen_at.source != nullptr;
            reader.report.error(written ? said.listen_at : said.at,
                                "host '" + host.name + "' has tls, but no listener that speaks it",
                                kAddListener);
        }
        host.tls = nullptr;  // of `defaults`: of no use on plain listeners
        return;
    }
    if (host.tls == nullptr) {
        keep_plain(reader, said, host_at, host);
        if (said.redirect_http == true) {
            reader.report.error(said.redirect_at, "'redirect_http' needs 'tls'",
                                "tls: { certificate: FILE, key: FILE }");
        }
        return;
    }
    host.redirect_http = said.redirect_http.value_or(reader.redirect_http.value_or(true));
    host.https_port = secure->address.port != 0 ? secure->address.port : std::uint16_t{443};
}

void check_tls_listeners(Reader& reader) {
    for (const auto& [name, at] : reader.tls_listeners) {
        const auto& hosts = reader.snapshot.hosts;
        const bool used = std::any_of(hosts.begin(), hosts.end(), [&](const Host& host) {
            return host.tls != nullptr && host.listens_on(name);
        });
        if (used || reader.report.failed()) continue;
        reader.report.error(at, "listener '" + name + "' speaks TLS, but no host on it has 'tls'",
                            "hosts: { NAME: { tls: { certificate: FILE, key: FILE } } }");
    }
}

}  // namespace proxyd::config
