#include <algorithm>
#include <unordered_map>

#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

struct Foreign {
    std::string_view word;
    std::string_view hint;
};

/// What none of the rows' aliases says, or says less exactly. Where proxyd has the thing, the hint
/// names its key first.
constexpr Foreign kWords[] = {
    // nginx
    {"server", "proxyd calls this hosts; a server of an upstream is an entry of its 'servers'"},
    {"server_name", "proxyd calls this names; the key under 'hosts' is the first of them"},
    {"listen", "proxyd calls this listeners; a host names them in 'listen'"},
    {"location", "proxyd calls this locations, a map of paths"},
    {"proxy_pass", "proxyd calls this upstream; for the path see strip_prefix"},
    {"http", "there is no such block: listeners, upstreams and hosts stand at the top level"},
    {"events", "there is no such block; 'workers' is all there is to set"},
    {"stream", "proxyd speaks HTTP only"},
    {"access_log", "proxyd calls this log.access; hosts and locations have 'access_log'"},
    {"proxy_http_version", "not needed: upstreams are spoken to in HTTP/1.1 with keepalive"},
    {"proxy_cache_valid", "proxyd calls this cache.valid"},
    {"proxy_cache_key", "proxyd calls this cache.key"},
    {"proxy_cache_methods", "proxyd calls this cache.methods"},
    {"proxy_cache_min_uses", "proxyd calls this cache.min_uses"},
    {"proxy_cache_bypass", "proxyd calls this cache.bypass"},
    {"proxy_no_cache", "proxyd calls this cache.no_store"},
    {"proxy_cache_use_stale", "proxyd calls this cache.use_stale"},
    {"proxy_cache_background_update", "proxyd calls this cache.background_update"},
    {"proxy_cache_lock", "proxyd calls this cache.lock"},
    {"proxy_ssl_verify", "proxyd calls this upstreams.NAME.tls.verify"},
    {"proxy_ssl_name", "proxyd calls this upstreams.NAME.tls.server_name"},
    {"proxy_ssl_trusted_certificate", "proxyd calls this upstreams.NAME.tls.ca"},
    {"proxy_ssl_certificate", "proxyd calls this upstreams.NAME.tls.certificate"},
    {"proxy_ssl_certificate_key", "proxyd calls this upstreams.NAME.tls.key"},
    {"proxy_ssl_server_name", "not needed: SNI is sent by default"},
    {"ssl", "proxyd calls this tls"},
    {"ssl_certificate", "proxyd calls this tls.certificate"},
    {"ssl_certificate_key", "proxyd calls this tls.key"},
    {"ssl_protocols", "proxyd calls this tls.protocols"},
    {"ssl_ciphers", "proxyd calls this tls.ciphers"},
    {"ssl_prefer_server_ciphers", "proxyd calls this tls.prefer_server_ciphers"},
    {"ssl_client_certificate", "proxyd calls this tls.client_ca"},
    {"ssl_verify_client", "proxyd calls this tls.client_verify"},
    {"auth_basic_user_file", "proxyd calls this basic_auth.users_file"},
    {"auth_request_set", "proxyd calls this auth_request.set"},
    {"gzip_types", "proxyd calls this compress.types"},
    {"gzip_min_length", "proxyd calls this compress.min_size"},
    {"stub_status", "proxyd calls this admin.status"},
    {"limit_req_status", "not needed: the status is 429 with Retry-After"},
    {"worker_connections", "not needed: the limit of open files decides"},
    {"worker_rlimit_nofile", "not needed: the soft limit is raised to the hard one"},
    {"daemon", "not needed: proxyd stays in the foreground"},
    {"master_process", "not needed: there is one process"},
    {"sendfile", "not needed"},
    {"tcp_nodelay", "not needed: always on"},
    {"tcp_nopush", "not needed"},
    {"if", "there is no 'if': use locations, maps or several hosts"},
    {"break", "there is no 'break': a location has one rewrite"},
    {"real_ip_recursive", "not needed: trusted_proxies are walked from right to left"},
    {"underscores_in_headers", "not needed"},
    {"access_by_lua", "there are no scripts"},
    {"mirror_request_body", "proxyd calls this mirror"},
    // HAProxy
    {"global", "there is no such block: these keys stand at the top level"},
    {"frontend", "proxyd calls this listeners and hosts"},
    {"backend", "proxyd calls this upstreams"},
    {"backends", "proxyd calls this upstreams"},
    {"bind", "proxyd calls this listeners"},
    {"crt", "proxyd calls this tls.certificate"},
    {"use_backend", "proxyd calls this upstream, in a host or a location"},
    {"default_backend", "proxyd calls this upstream; the host \"*\" takes every other name"},
    {"maxconn", "proxyd calls this max_connections, under a listener"},
    {"nbthread", "proxyd calls this workers"},
    {"chroot", "not needed: see the unit's sandbox"},
    {"mode", "proxyd speaks HTTP only"},
    {"acl", "proxyd calls this locations and access"},
    {"http-request", "proxyd calls this request_headers, redirect, return and access"},
    {"http-response", "proxyd calls this response_headers"},
    {"http-check", "proxyd calls this upstreams.NAME.health_check"},
    {"httpchk", "proxyd calls this upstreams.NAME.health_check"},
    {"option", "there is no 'option': see the keys of log, client and upstreams"},
    {"option forwardfor", "not needed: X-Forwarded-For is sent by default"},
    {"option httpchk", "proxyd calls this upstreams.NAME.health_check"},
    {"option httplog", "proxyd calls this log.access"},
    {"option redispatch", "proxyd calls this upstreams.NAME.retry"},
    {"option httpclose", "not needed"},
    {"forwardfor", "not needed: X-Forwarded-For is sent by default"},
    {"timeout", "proxyd calls this timeouts"},
    {"timeout client", "proxyd calls this client.body_timeout and client.send_timeout"},
    {"timeout connect", "proxyd calls this timeouts.connect"},
    {"timeout server", "proxyd calls this timeouts.read"},
    {"timeout tunnel", "proxyd calls this timeouts.upgraded"},
    {"timeout http-request", "proxyd calls this client.header_timeout"},
    {"timeout http-keep-alive", "proxyd calls this client.keepalive_timeout"},
    {"timeout queue", "proxyd calls this upstreams.NAME.queue.timeout"},
    {"errorfile", "proxyd calls this error_pages"},
    {"stick-table", "proxyd calls this rate_limits and upstreams.NAME.sticky"},
    {"cookie", "proxyd calls this upstreams.NAME.sticky"},
    {"retries", "proxyd calls this upstreams.NAME.retry.attempts"},
    {"balance", "proxyd calls this upstreams.NAME.balance"},
    {"stats", "proxyd calls this admin.status"},
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
    {"request_body", "proxyd calls this max_body_size"},
    {"basicauth", "proxyd calls this basic_auth"},
    {"forward_auth", "proxyd calls this auth_request"},
    {"handle_errors", "proxyd calls this error_pages"},
    {"lb_policy", "proxyd calls this upstreams.NAME.balance"},
    {"lb_retries", "proxyd calls this upstreams.NAME.retry.attempts"},
    {"lb_try_duration", "proxyd calls this upstreams.NAME.retry.timeout"},
    {"health_uri", "proxyd calls this upstreams.NAME.health_check"},
    {"fail_duration", "proxyd calls this fail_timeout, of a server of an upstream"},
    {"dial_timeout", "proxyd calls this timeouts.connect"},
    {"read_timeout", "proxyd calls this timeouts.read"},
    {"write_timeout", "proxyd calls this timeouts.send"},
    {"response_header_timeout", "proxyd calls this timeouts.read"},
    {"flush_interval", "proxyd calls this buffering: off"},
    {"import", "proxyd calls this include"},
    {"email", "proxyd calls this acme.email"},
    {"auto_https", "proxyd calls this redirect_http and tls"},
    // Traefik
    {"entryPoints", "proxyd calls this listeners"},
    {"entrypoints", "proxyd calls this listeners"},
    {"routers", "proxyd calls this hosts and locations"},
    {"rule", "proxyd calls this hosts (the name) and locations (the path)"},
    {"services", "proxyd calls this upstreams"},
    {"service", "proxyd calls this upstream"},
    {"loadBalancer", "proxyd calls this upstreams.NAME.servers"},
    {"loadbalancer", "proxyd calls this upstreams.NAME.servers"},
    {"weighted", "proxyd calls this split"},
    {"mirroring", "proxyd calls this mirror"},
    {"middlewares", "there are no middlewares: their keys stand in hosts and locations"},
    {"stripPrefix", "proxyd calls this strip_prefix"},
    {"addPrefix", "proxyd calls this replace_prefix"},
    {"replacePath", "proxyd calls this replace_prefix or rewrite"},
    {"replacePathRegex", "proxyd calls this rewrite"},
    {"redirectScheme", "proxyd calls this redirect_http"},
    {"redirectRegex", "proxyd calls this redirect"},
    {"rateLimit", "proxyd calls this rate_limit"},
    {"inFlightReq", "proxyd calls this connection_limit"},
    {"ipAllowList", "proxyd calls this access"},
    {"ipWhiteList", "proxyd calls this access"},
    {"basicAuth", "proxyd calls this basic_auth"},
    {"forwardAuth", "proxyd calls this auth_request"},
    {"customRequestHeaders", "proxyd calls this request_headers.set"},
    {"customResponseHeaders", "proxyd calls this response_headers.set"},
    {"certificatesResolvers", "proxyd calls this acme"},
    {"certResolver", "proxyd calls this tls: auto"},
    {"healthCheck", "proxyd calls this upstreams.NAME.health_check"},
    {"passHostHeader", "not needed: Host is kept"},
    {"forwardedHeaders", "proxyd calls this trusted_proxies"},
    {"trustedIPs", "proxyd calls this trusted_proxies"},
    {"respondingTimeouts", "proxyd calls this client, with its timeouts"},
    {"forwardingTimeouts", "proxyd calls this timeouts"},
    {"insecureSkipVerify", "proxyd calls this upstreams.NAME.tls.verify"},
    {"maxRequestBodyBytes", "proxyd calls this max_body_size"},
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
