#include "config/keys_tls.hpp"

#include <algorithm>

#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"
#include "config/tls_draft.hpp"

namespace proxyd::config {
namespace {

using net::tls::ClientVerify;
using Version = net::tls::ServerSettings::Version;

/// An empty value is no file: `client_ca:` alone.
void store_file(Reader& reader, const Key& key, const Node& node, NamedFile& file) {
    if (node.is_null() || !reader.text(node, key.name) || node.text.empty()) return;
    file = {resolve_path(node), node.at};
}

template <NamedFile TlsDraft::Pair::*Member>
void store_pair_file(Reader& reader, const Key& key, const Node& node, void* target) {
    store_file(reader, key, node, static_cast<TlsDraft::Pair*>(target)->*Member);
}
template <NamedFile TlsDraft::Pair::*Member>
void store_single_file(Reader& reader, const Key& key, const Node& node, void* target) {
    store_file(reader, key, node, static_cast<TlsDraft*>(target)->single.*Member);
}

constexpr Key kPairKeys[] = {
    {.name = "certificate",
     .type = Type::path,
     .doc = "As `certificate` of `tls`.",
     .store = store_pair_file<&TlsDraft::Pair::certificate>},
    {.name = "key",
     .type = Type::path,
     .doc = "The private key of this certificate.",
     .store = store_pair_file<&TlsDraft::Pair::key>},
};
constinit const Table kPairTable{.name = "a certificate", .keys = kPairKeys};

void store_certificates(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<TlsDraft*>(target);
    if (node.is_null()) return;
    if (!node.is_list()) {
        return reader.wrong(node, key.name, "a list",
                            "certificates: [{ certificate: FILE, key: FILE }]");
    }
    draft.certificates = node.key_at;
    for (const Node& item : node.items) {
        TlsDraft::Pair pair;
        pair.at = item.at;
        reader.read_map(item, kPairTable, Where{key.name}, &pair);
        draft.pairs.push_back(std::move(pair));
    }
}

void store_protocols(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& settings = static_cast<TlsDraft*>(target)->settings;
    bool tls12 = false, tls13 = false;
    const std::size_t errors = reader.report.errors();
    for (const Node* item : reader.scalars(node, key.name)) {
        tls12 = tls12 || item->text == "TLSv1.2";
        tls13 = tls13 || item->text == "TLSv1.3";
        if (item->text == "TLSv1.2" || item->text == "TLSv1.3") continue;
        const bool old = one_of("TLSv1|TLSv1.0|TLSv1.1|SSLv2|SSLv3", item->text);
        reader.report.error(item->at,
                            old ? item->text + " is broken and not spoken"
                                : "unknown protocol '" + item->text + "'",
                            "TLSv1.2 and TLSv1.3 are");
    }
    if (reader.report.errors() != errors) return;
    if (!tls12 && !tls13) return reader.wrong(node, key.name, "TLSv1.2, TLSv1.3 or both");
    settings.min_version = tls12 ? Version::tls12 : Version::tls13;
    settings.max_version = tls13 ? Version::tls13 : Version::tls12;
}

template <std::string net::tls::ServerSettings::*Member, Position TlsDraft::*Place>
void store_ciphers(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<TlsDraft*>(target);
    if (node.is_null()) return;
    auto text = reader.text(node, key.name);
    if (!text) return;
    draft.settings.*Member = *std::move(text);
    draft.*Place = node.at;
}

void store_prefer(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& settings = static_cast<TlsDraft*>(target)->settings;
    if (const auto on = reader.boolean(node, key.name)) settings.prefer_server_ciphers = *on;
}

void store_client_ca(Reader& reader, const Key& key, const Node& node, void* target) {
    store_file(reader, key, node, static_cast<TlsDraft*>(target)->client_ca);
}

void store_client_verify(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<TlsDraft*>(target);
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (*text == "require") {
        draft.settings.client_verify = ClientVerify::require;
    } else if (*text == "optional") {
        draft.settings.client_verify = ClientVerify::optional;
    } else {
        reader.report.error(node.at,
                            "'client_verify' wants require or optional, not '" + *text + "'",
                            did_you_mean(*text, split_words(key.words)));
        return;
    }
    draft.client_verify = node.at;
}

constexpr Key kTlsKeys[] = {
    {.name = "certificate",
     .type = Type::path,
     .doc = "The certificate in PEM form, the chain of its issuers behind it.",
     .nginx = "ssl_certificate",
     .store = store_single_file<&TlsDraft::Pair::certificate>},
    {.name = "key",
     .type = Type::path,
     .doc = "The private key of `certificate`, without a password.",
     .nginx = "ssl_certificate_key",
     .store = store_single_file<&TlsDraft::Pair::key>},
    {.name = "certificates",
     .type = Type::list,
     .doc = "Instead: several pairs of different key types side by side (ECDSA and RSA); each "
            "client gets the one it can use.",
     .store = store_certificates,
     .inner = &kPairTable},
    {.name = "protocols",
     .type = Type::list,
     .doc = "TLSv1.2, TLSv1.3 or both; default: both.",
     .nginx = "ssl_protocols",
     .store = store_protocols},
    {.name = "ciphers",
     .type = Type::text,
     .doc = "The cipher suites of TLS 1.2 in OpenSSL's notation; default: those with forward "
            "secrecy and authenticated encryption.",
     .nginx = "ssl_ciphers",
     .store = store_ciphers<&net::tls::ServerSettings::ciphers, &TlsDraft::ciphers>},
    {.name = "tls13_ciphersuites",
     .type = Type::text,
     .doc = "The cipher suites of TLS 1.3, separated by colons; default: AES-128-GCM, "
            "AES-256-GCM, ChaCha20.",
     .nginx = "ssl_conf_command",
     .store = store_ciphers<&net::tls::ServerSettings::ciphersuites, &TlsDraft::ciphersuites>},
    {.name = "prefer_server_ciphers",
     .type = Type::boolean,
     .fallback = "on",
     .doc =
         "Our order of the cipher suites decides, not the client's; one that puts ChaCha20 first "
         "gets it.",
     .nginx = "ssl_prefer_server_ciphers",
     .store = store_prefer},
    {.name = "client_ca",
     .type = Type::path,
     .doc = "Clients are asked for a certificate of one of these authorities (PEM).",
     .nginx = "ssl_client_certificate ssl_trusted_certificate",
     .store = store_client_ca},
    {.name = "client_verify",
     .type = Type::word,
     .doc = "With `client_ca`: require (default) ends the handshake of clients without such a "
            "certificate, optional lets them in and $ssl_client_verify tell.",
     .words = "require|optional",
     .nginx = "ssl_verify_client",
     .store = store_client_verify},
};

bool is_off(const Node& node) {
    return node.is_null() || (node.is_scalar() && parse_boolean(node.text) == false);
}

}  // namespace

constinit const Table kHostTlsTable{.name = "tls", .keys = kTlsKeys};

std::shared_ptr<const HostTls> read_host_tls(Reader& reader, const Node& node) {
    if (is_off(node)) return nullptr;
    if (node.is_scalar() && node.text == "auto") {
        reader.report.error(node.at, "'tls: auto' is not built yet",
                            "tls: { certificate: FILE, key: FILE }");
        return nullptr;
    }
    if (!node.is_map()) {
        reader.wrong(node, "tls", "a map of keys, or off", "tls: { certificate: FILE, key: FILE }");
        return nullptr;
    }
    TlsDraft draft;
    const std::size_t errors = reader.report.errors();
    reader.read_map(node, kHostTlsTable, Where{"tls"}, &draft);
    if (reader.report.errors() != errors) return nullptr;
    return make_host_tls(reader, draft, node.key_at);
}

bool asks_for_tls(const Node& root) {
    const Node* defaults = root.find("defaults");
    const Node* outer = defaults != nullptr ? defaults->find("tls") : nullptr;
    const bool by_default = outer != nullptr && !is_off(*outer);
    const Node* hosts = root.find("hosts");
    if (hosts == nullptr) return false;
    return std::any_of(hosts->items.begin(), hosts->items.end(), [&](const Node& host) {
        const Node* own = host.find("tls");
        return own != nullptr ? !is_off(*own) : by_default;
    });
}

}  // namespace proxyd::config
