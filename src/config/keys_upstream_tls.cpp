#include <algorithm>

#include "config/keys_upstreams.hpp"
#include "config/sections.hpp"
#include "config/small_file.hpp"
#include "config/store.hpp"
#include "proxyd/net/tls/client_policy.hpp"

namespace proxyd::config {
namespace {

using Part = net::tls::PolicyProblem::Part;

/// RFC 1035 3.1; what OpenSSL sends.
constexpr std::size_t kLongestName = 255;

/// The map as written, before its files are put to use together.
struct Draft {
    UpstreamTls tls;
    net::tls::ClientSettings settings;
    Position ca, certificate, key, enabled;
    bool given_off = false;
};

void store_enabled(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    const auto on = reader.boolean(node, key.name);
    if (!on) return;
    draft.tls.enabled = *on;
    draft.given_off = !*on;
    draft.enabled = node.at;
}

void store_verify(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (const auto on = reader.boolean(node, key.name)) {
        draft.settings.verify = draft.tls.verify = *on;
    }
}

void store_server_name(Reader& reader, const Key& key, const Node& node, void* target) {
    auto name = reader.variables(node, key.name);
    if (!name) return;
    const bool odd = name->constant() && !IpAddress::parse(name->literal()) &&
                     (name->literal().find_first_of("/: ") != std::string_view::npos ||
                      name->literal().size() > kLongestName);
    if (odd) {
        reader.report.error(node.at, "'" + node.text + "' is not a name that a certificate has",
                            "a host name without scheme and port, or $host");
        return;
    }
    static_cast<Draft*>(target)->tls.server_name = *std::move(name);
}

/// An empty value is no file: `certificate:` alone.
void store_file(Reader& reader, const Key& key, const Node& node, std::string& place,
                Position& at) {
    if (node.is_null() || !reader.text(node, key.name) || node.text.empty()) return;
    std::string problem;
    const std::string path = resolve_path(node);
    const auto content = read_small_file(path, problem);
    at = node.at;
    if (content == nullptr) {
        reader.report.error(node.at, "the file " + path + " " + problem);
    } else if (content->empty()) {
        reader.report.error(node.at, "the file " + path + " is empty");
    } else {
        place = *content;
    }
}

void store_ca(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    store_file(reader, key, node, draft.settings.ca, draft.ca);
}
void store_certificate(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    store_file(reader, key, node, draft.settings.certificate, draft.certificate);
}
void store_key(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    store_file(reader, key, node, draft.settings.key, draft.key);
}

constexpr Key kTlsKeys[] = {
    {.name = "enabled",
     .type = Type::boolean,
     .doc = "TLS to every server; on where this map is given, and for servers written as https:// "
            "without it.",
     .store = store_enabled},
    {.name = "verify",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Refuse a server whose certificate is not trusted, out of date or for another name.",
     .nginx = "proxy_ssl_verify",
     .store = store_verify},
    {.name = "server_name",
     .type = Type::variables,
     .doc = "The name that is asked for (SNI) and verified; without it the name of the server as "
            "written, and $host where that is an address.",
     .nginx = "proxy_ssl_name proxy_ssl_server_name",
     .store = store_server_name},
    {.name = "ca",
     .type = Type::path,
     .doc = "The certificates that are trusted, in PEM form; without it those of the system.",
     .nginx = "proxy_ssl_trusted_certificate",
     .store = store_ca},
    {.name = "certificate",
     .type = Type::path,
     .doc = "The certificate that proxyd shows to the servers, in PEM form, its chain behind it.",
     .nginx = "proxy_ssl_certificate",
     .store = store_certificate},
    {.name = "key",
     .type = Type::path,
     .doc = "The private key of `certificate`, without a password.",
     .nginx = "proxy_ssl_certificate_key",
     .store = store_key},
};

const Position& place_of(const Draft& draft, Part part) {
    if (part == Part::ca) return draft.ca;
    return part == Part::key ? draft.key : draft.certificate;
}

/// Upstreams with the same files share what is made of them.
std::shared_ptr<const net::tls::ClientPolicy> policy_of(Reader& reader, const Draft& draft,
                                                        const Position& spare) {
    auto& known = reader.tls_policies[net::tls::ClientPolicy::id_of(draft.settings)];
    if (known) return known;
    auto made = net::tls::ClientPolicy::make(draft.settings);
    if (!made) {
        const Position& at = place_of(draft, made.error().part);
        const bool file = at.source != nullptr;
        reader.report.error(file ? at : spare, (file ? "this file " : "") + made.error().text,
                            made.error().hint);
        return nullptr;
    }
    if ((*made)->expired()) {
        reader.report.warning(draft.certificate, "this certificate has expired");
    }
    known = *made;
    return known;
}

bool check_pair(Reader& reader, const Draft& draft) {
    const bool certificate = draft.certificate.source != nullptr;
    const bool key = draft.key.source != nullptr;
    if (certificate == key) return true;
    reader.report.error(
        certificate ? draft.certificate : draft.key,
        certificate ? "a certificate needs its 'key'" : "a key needs its 'certificate'");
    return false;
}

}  // namespace

constinit const Table kUpstreamTlsTable{.name = "tls", .keys = kTlsKeys};

void read_upstream_tls(Reader& reader, const Node* node, const Position& upstream_at,
                       Upstream& upstream) {
    Draft draft;
    const std::size_t errors = reader.report.errors();
    if (node != nullptr && !node->is_null()) {
        draft.tls.enabled = true;
        const Node map = node->is_map() ? *node : expand_shorthand(*node, "enabled");
        reader.read_map(map, kUpstreamTlsTable, Where{"tls"}, &draft);
        if (reader.report.errors() != errors || !check_pair(reader, draft)) return;
    }
    const auto secure = std::find_if(upstream.servers.begin(), upstream.servers.end(),
                                     [](const Server& server) { return server.address.https; });
    if (draft.given_off && secure != upstream.servers.end()) {
        reader.report.error(
            draft.enabled,
            "tls is off here, but the server '" + secure->address.text + "' asks for it",
            "write the server without https://, or leave 'enabled' out");
        return;
    }
    if (draft.tls.enabled || secure != upstream.servers.end()) {
        draft.tls.policy = policy_of(reader, draft, upstream_at);
    }
    upstream.tls = std::move(draft.tls);
}

}  // namespace proxyd::config
