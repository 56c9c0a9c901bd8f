#include <algorithm>
#include <unordered_map>

#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

struct Foreign {
    std::string_view word;
    std::string_view hint;
};

/// Words without a row of their own to stand beside; nginx's others are the rows' aliases.
constexpr Foreign kWords[] = {
    // nginx
    {"server", "in proxyd each name under 'hosts' is one, each server an entry of 'servers'"},
    {"http", "there is no such block: listeners, upstreams and hosts stand at the top level"},
    {"events", "there is no such block; 'workers' is all there is to set"},
    {"stream", "proxyd speaks HTTP only"},
    {"listen", "proxyd calls this listeners; a host names them in 'listen'"},
    {"server_name", "the key under 'hosts' is the name; more of them go into 'names'"},
    {"location", "proxyd calls this locations, a map of paths"},
    {"proxy_pass", "proxyd calls this upstream; for the path see strip_prefix"},
    {"proxy_http_version", "not needed: upstreams are spoken to in HTTP/1.1 with keepalive"},
    {"proxy_redirect", "not needed"},
    {"proxy_ssl_verify", "proxyd calls this upstreams.NAME.tls.verify"},
    {"proxy_ssl_server_name", "not needed: SNI is sent by default"},
    {"proxy_cache_key", "proxyd calls this cache.key"},
    {"proxy_cache_bypass", "proxyd calls this cache.bypass"},
    {"proxy_no_cache", "proxyd calls this cache.no_store"},
    {"proxy_cache_use_stale", "proxyd calls this cache.use_stale"},
    {"proxy_cache_lock", "proxyd calls this cache.lock"},
    {"ssl", "proxyd calls this tls"},
    {"ssl_client_certificate", "proxyd calls this tls.client_ca"},
    {"ssl_verify_client", "proxyd calls this tls.client_verify"},
    {"ssl_prefer_server_ciphers", "proxyd calls this tls.prefer_server_ciphers"},
    {"limit_req_status", "not needed: the status is 429 with Retry-After"},
    {"worker_connections", "not needed: the limit of open files decides"},
    {"worker_rlimit_nofile", "not needed: the soft limit is raised to the hard one"},
    {"daemon", "not needed: proxyd stays in the foreground"},
    {"sendfile", "not needed"},
    {"tcp_nodelay", "not needed: always on"},
    {"tcp_nopush", "not needed"},
    {"if", "there is no 'if': use locations, maps or several hosts"},
    {"break", "there is no 'break': a location has one rewrite"},
    {"real_ip_recursive", "not needed: trusted_proxies are walked from right to left"},
    {"max_conns", "proxyd calls this upstreams.NAME.servers.max_conns"},
    {"access_by_lua", "there are no scripts"},
    {"mirror_request_body", "proxyd calls this mirror"},
    // HAProxy
    {"global", "there is no such block: these keys stand at the top level"},
    {"frontend", "proxyd calls this listeners and hosts"},
    {"backend", "proxyd calls this upstreams"},
    {"backends", "proxyd calls this upstreams"},
    {"bind", "proxyd calls this listeners"},
    {"use_backend", "proxyd calls this upstream, in a host or a location"},
    {"default_backend", "proxyd calls this upstream; the host \"*\" takes every other name"},
    {"maxconn", "proxyd calls this max_connections, under a listener"},
    {"nbthread", "proxyd calls this workers"},
    {"acl", "proxyd calls this locations and access"},
    {"http-request", "proxyd calls this request_headers, redirect, return and access"},
    {"http-response", "proxyd calls this response_headers"},
    {"option", "there is no 'option': see the keys of log, client and upstreams"},
    {"forwardfor", "not needed: X-Forwarded-For is sent by default"},
    {"httpchk", "proxyd calls this upstreams.NAME.health_check"},
    {"timeout", "proxyd calls this timeouts"},
    {"errorfile", "proxyd calls this error_pages"},
    {"stick-table", "proxyd calls this rate_limits and upstreams.NAME.sticky"},
    {"retries", "proxyd calls this retry.attempts"},
    {"balance", "proxyd calls this upstreams.NAME.balance"},
    {"option httpclose", "not needed"},
    // Caddy
    {"reverse_proxy", "proxyd calls this upstream"},
    {"handle", "proxyd calls this locations"},
    {"handle_path", "proxyd calls this locations with strip_prefix: true"},
    {"route", "proxyd calls this locations"},
    {"uri", "proxyd calls this strip_prefix, replace_prefix or rewrite"},
    {"redir", "proxyd calls this redirect"},
    {"respond", "proxyd calls this return"},
    {"file_server", "proxyd calls this root"},
    {"encode", "proxyd calls this compress"},
    {"header", "proxyd calls this response_headers"},
    {"header_up", "proxyd calls this request_headers"},
    {"header_down", "proxyd calls this response_headers"},
    {"basicauth", "proxyd calls this basic_auth"},
    {"forward_auth", "proxyd calls this auth_request"},
    {"handle_errors", "proxyd calls this error_pages"},
    {"lb_policy", "proxyd calls this upstreams.NAME.balance"},
    {"health_uri", "proxyd calls this upstreams.NAME.health_check"},
    {"flush_interval", "proxyd calls this buffering: off"},
    {"import", "proxyd calls this include"},
    {"email", "proxyd calls this acme.email"},
    {"auto_https", "proxyd calls this redirect_http and tls"},
    // Traefik
    {"entryPoints", "proxyd calls this listeners"},
    {"entrypoints", "proxyd calls this listeners"},
    {"routers", "proxyd calls this hosts and locations"},
    {"services", "proxyd calls this upstreams"},
    {"service", "proxyd calls this upstream"},
    {"loadBalancer", "proxyd calls this upstreams.NAME.servers"},
    {"loadbalancer", "proxyd calls this upstreams.NAME.servers"},
    {"middlewares", "there are no middlewares: their keys stand in hosts and locations"},
    {"rule", "proxyd calls this hosts (the name) and locations (the path)"},
    {"stripPrefix", "proxyd calls this strip_prefix"},
    {"replacePath", "proxyd calls this replace_prefix or rewrite"},
    {"redirectScheme", "proxyd calls this redirect_http"},
    {"redirectRegex", "proxyd calls this redirect"},
    {"rateLimit", "proxyd calls this rate_limit"},
    {"inFlightReq", "proxyd calls this connection_limit"},
    {"ipAllowList", "proxyd calls this access"},
    {"basicAuth", "proxyd calls this basic_auth"},
    {"forwardAuth", "proxyd calls this auth_request"},
    {"certificatesResolvers", "proxyd calls this acme"},
    {"healthCheck", "proxyd calls this health_check"},
    {"passHostHeader", "not needed: Host is kept"},
    {"forwardedHeaders", "proxyd calls this trusted_proxies"},
    {"accessLog", "proxyd calls this log.access"},
    {"providers", "proxyd calls this include"},
    {"api", "proxyd calls this admin"},
    // Spellings that are meant, not mistyped
    {"host", "proxyd calls this hosts"},
    {"vhosts", "proxyd calls this hosts"},
    {"domains", "proxyd calls this hosts"},
    {"sites", "proxyd calls this hosts"},
    {"websockets", "proxyd calls this websocket; it is on by default"},
    {"headers", "proxyd calls this request_headers and response_headers"},
};

using Hints = std::unordered_map<std::string_view, std::string>;

/// "hosts.NAME.locations.NAME.timeouts.read" -> "timeouts.read": policy keys go to any level.
std::string short_path(std::string path) {
    for (const std::string_view level :
         {"defaults.", "hosts.NAME.", "locations.NAME.", "listeners.NAME."}) {
        if (path.starts_with(level)) path.erase(0, level.size());
    }
    return path;
}

void add_aliases(Hints& hints, const std::string& path, const Key& key) {
    std::string_view aliases = key.nginx;
    while (!aliases.empty()) {
        const std::size_t blank = std::min(aliases.find(' '), aliases.size());
        const std::string_view word = aliases.substr(0, blank);
        // The same word in both: then only the place is wrong, which is said elsewhere.
        if (word != key.name) hints.emplace(word, "proxyd calls this " + short_path(path));
        aliases.remove_prefix(std::min(blank + 1, aliases.size()));
    }
}

Hints make_hints() {
    Hints hints;
    for (const Foreign& foreign : kWords) hints.emplace(foreign.word, foreign.hint);
    // The policy's own place first: timeouts also stand in upstreams.
    walk(kDefaultsTable, "", [&](const std::string& path, const Table&, const Key& key) {
        add_aliases(hints, path, key);
    });
    walk(kTopTable, "", [&](const std::string& path, const Table&, const Key& key) {
        add_aliases(hints, path, key);
    });
    return hints;
}

}  // namespace

std::string foreign_hint(std::string_view word) {
    static const Hints hints = make_hints();
    const auto found = hints.find(word);
    return found == hints.end() ? "" : found->second;
}

}  // namespace proxyd::config
