#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/base/ip.hpp"
#include "proxyd/http/field.hpp"
#include "proxyd/vars/template.hpp"

/// The configuration as values, complete and validated: every default filled in, every level
/// merged, every name resolved. Immutable once load() returned it; shared by all threads.
namespace proxyd::net::tls {
class Certificate;
class CertificateSlot;
class ClientPolicy;
class ServerPolicy;
}  // namespace proxyd::net::tls

namespace proxyd::config {

using Duration = std::chrono::milliseconds;

/// Where something was written, for messages and -T. line and column count from 1; 0 = a default.
struct Origin {
    std::shared_ptr<const std::string> file;
    int line = 0;
    int column = 0;
};

/// "127.0.0.1:3000", "app.internal:3003", "unix:/run/app.sock", "srv:_http._tcp.app.internal".
struct Address {
    enum class Kind : std::uint8_t { ip, name, unix_socket, srv };
    Kind kind = Kind::ip;
    IpAddress ip;      ///< Kind::ip
    std::string name;  ///< Kind::name: host; unix_socket: path; srv: service
    std::uint16_t port = 0;
    bool any = false;    ///< listeners: ":80", every address of both families
    bool https = false;  ///< servers: written as https://, which switches TLS on
    std::string text;    ///< normalised spelling, the identity of the address
};

/// What the name service is asked for: the addresses of a host, or the servers of a service.
struct AskedName {
    std::string name;
    bool srv = false;
    friend auto operator<=>(const AskedName&, const AskedName&) = default;
};
/// None: the address is one already.
[[nodiscard]] std::optional<AskedName> asked_name(const Address& address);

/// `resolver`.
struct Resolver {
    std::vector<std::string> servers;  ///< "10.0.0.2:53", "[::1]:53"; empty = the system's
    Duration timeout{5'000};           ///< for all the names of one look-up
};

struct ClientLimits {
    Duration header_timeout{60'000};
    Duration body_timeout{60'000};
    std::uint64_t min_rate = 0;  ///< bytes/s, 0 = none
    Duration send_timeout{60'000};
    Duration keepalive_timeout{75'000};
    std::uint64_t keepalive_requests = 10'000;
    std::size_t max_header_size = std::size_t{32} << 10;
    std::size_t max_headers = 100;
    std::uint32_t max_concurrent_streams = 128;  ///< http2.*
    std::uint32_t max_resets_per_minute = 200;   ///< 0 = no limit
    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};

struct Listener {
    std::string name;
    Address address;
    int backlog = 4096;
    bool proxy_protocol = false;  ///< each connection begins with a PROXY header
    bool tls = false;
    bool http2 = false;  ///< with tls: offered by ALPN; without: by prior knowledge
    ClientLimits client;
};

struct Server {
    Address address;
    unsigned weight = 1;
    unsigned max_fails = 3;  ///< 0 = failures are not counted
    Duration fail_timeout{10'000};
    std::uint64_t max_conns = 0;  ///< requests in flight; 0 = no limit
    Duration slow_start{0};       ///< until a recovered server has its full share; 0 = at once
    bool backup = false;
    bool down = false;
};

/// Active checks of an upstream's servers.
struct HealthCheck {
    enum class Type : std::uint8_t {
        http,
        tcp,  ///< the connection is enough
    } type = Type::http;
    std::string path = "/";
    std::string host;  ///< empty = the server's address
    std::string method = "GET";
    std::uint16_t port = 0;  ///< 0 = the server's own
    Duration interval{5'000};
    Duration timeout{2'000};  ///< of the whole check
    struct Statuses {
        int first = 200, last = 399;
        friend bool operator==(const Statuses&, const Statuses&) = default;
    };
    std::vector<Statuses> expect{Statuses{}};
    std::string body;  ///< empty = any; what the answer must hold, or "~expression"
    unsigned rise = 2;
    unsigned fall = 3;
    friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

/// nginx's proxy_next_upstream words.
enum class RetryOn : std::uint32_t {
    error = 1,
    timeout = 2,
    invalid_header = 4,
    http_500 = 8,
    http_502 = 16,
    http_503 = 32,
    http_504 = 64,
    http_403 = 128,
    http_404 = 256,
    http_429 = 512,
};

struct Retry {
    std::uint32_t on =
        static_cast<std::uint32_t>(RetryOn::error) | static_cast<std::uint32_t>(RetryOn::timeout);
    unsigned attempts = 3;  ///< in all; 1 = no retry, 0 = as many as there are servers
    Duration timeout{0};    ///< no new attempt after this; 0 = none
    bool non_idempotent = false;
    unsigned budget = 20;  ///< percent of the requests that may be retries
    [[nodiscard]] bool has(RetryOn word) const noexcept {
        return (on & static_cast<std::uint32_t>(word)) != 0;
    }
};

/// Levels: location > host > defaults > upstream > built-in. Unset = the next level decides.
struct Timeouts {
    std::optional<Duration> connect, send, read, upgraded, total;
};
/// The built-in level.
struct EffectiveTimeouts {
    Duration connect{5'000}, send{60'000}, read{300'000}, upgraded{86'400'000}, total{0};
};
[[nodiscard]] EffectiveTimeouts effective(const Timeouts& location, const Timeouts& upstream);

enum class Balance : std::uint8_t { round_robin, least_conn, ip_hash, hash, random_two };

struct Hash {
    vars::Template key;
    bool consistent = false;    ///< ketama
    unsigned bounded_load = 0;  ///< percent of its fair share that a server gets at most; 0 = all
};

/// The leading bits of a client's address that choose its server.
struct IpHash {
    unsigned ipv4_prefix = 24;
    unsigned ipv6_prefix = 128;
    friend bool operator==(const IpHash&, const IpHash&) = default;
};

/// Requests that wait while every server is at max_conns.
struct Queue {
    std::size_t size = 0;  ///< 0 = nobody waits
    Duration timeout{5'000};
};

/// A cookie that keeps a client on its server.
struct Sticky {
    std::string cookie;
    Duration ttl{0};  ///< 0 = until the browser is closed
};

/// TLS to the servers of an upstream.
struct UpstreamTls {
    bool enabled = false;  ///< for all of them; those written as https:// have it anyway
    bool verify = true;
    vars::Template server_name;                            ///< empty = the server's own name
    std::shared_ptr<const net::tls::ClientPolicy> policy;  ///< null when no server has TLS
    [[nodiscard]] bool used_for(const Server& server) const noexcept {
        return enabled || server.address.https;
    }
};

/// The header that stands in front of each connection to a server.
enum class ProxyProtocol : std::uint8_t { off, v1, v2 };

struct Upstream {
    std::string name;
    bool implicit = false;  ///< made from `upstream: 3000`; name = the normalised address
    std::vector<Server> servers;
    Balance balance = Balance::round_robin;
    Hash hash;
    IpHash ip_hash;
    Queue queue;
    std::size_t keepalive = 32;  ///< idle connections kept for each worker; 0 = none
    Duration keepalive_timeout{60'000};
    std::uint64_t keepalive_requests = 10'000;
    Retry retry;
    unsigned max_ejected = 50;  ///< percent of the servers that may rest after failures
    std::shared_ptr<const HealthCheck> health_check;  ///< null = none
    Timeouts timeouts;
    std::optional<Sticky> sticky;
    UpstreamTls tls;
    ProxyProtocol proxy_protocol = ProxyProtocol::off;
    bool http2 = false;  ///< by ALPN with tls, by prior knowledge without
    Origin origin;
};

struct Map {
    std::string name;  ///< defines $name
    vars::Template from;
    struct Value {
        enum class Kind : std::uint8_t { exact, prefix, suffix, regex } kind = Kind::exact;
        bool case_sensitive_regex = true;
        std::string pattern;  ///< without '~', '~*', '*'
        vars::Template value;
    };
    std::vector<Value> values;  ///< in file order
    vars::Template default_value;
};

struct HeaderRule {
    enum class Op : std::uint8_t { set, add, remove, set_if_absent } op = Op::set;
    http::FieldId id = http::FieldId::other;
    std::string name;       ///< as written
    vars::Template value;   ///< an empty expansion adds nothing
    bool over_tls = false;  ///< not on plain connections
};

struct ErrorPage {
    int status = 0;  ///< exact, or 400 / 500 for the classes "4xx" / "5xx" (is_class)
    bool is_class = false;
    std::string path;
    std::shared_ptr<const std::string> body;  ///< read when the configuration is loaded
    std::string content_type;                 ///< from the file's extension
};

struct AccessLog {
    enum class Format : std::uint8_t { off, combined, combined_plus, json, custom };
    Format format = Format::combined;
    std::string path;       ///< empty with off
    vars::Template custom;  ///< Format::custom
    std::size_t buffer = std::size_t{64} << 10;
    Duration flush{1'000};
};

/// One entry of `cookie_domain` or `cookie_path`.
struct CookieRule {
    std::string from;   ///< a domain in lower case without a leading dot; a path
    vars::Template to;  ///< unused with `remove`
    bool remove = false;
};

/// Copies of requests for a shadow upstream.
struct Mirror {
    std::string upstream;  ///< name in Snapshot::upstreams
    unsigned percent = 100;
};

/// An entry of `caches`.
struct CacheZone {
    std::string name;
    std::string path;  ///< "" = in memory only
    std::string levels = "1:2";
    std::size_t memory = std::size_t{10} << 20;
    std::uint64_t max_size = std::uint64_t{1} << 30;
    std::uint64_t max_object_size = std::uint64_t{1} << 30;
    Duration inactive{600'000};
    Origin origin;
};

/// `cache` of a location.
struct Cache {
    std::string zone;  ///< name in Snapshot::caches
    struct Valid {
        int status = 0;  ///< 0 = any
        Duration time{0};
    };
    std::vector<Valid> valid;     ///< exact ones first
    std::uint32_t use_stale = 0;  ///< bits of RetryOn: what an old answer is better than
    bool stale_updating = false;  ///< and `updating`: while a new one is fetched
    bool lock = true;
    vars::Template key;
    std::vector<vars::Template> bypass, no_store;
    bool head = true;  ///< `methods` has HEAD
    unsigned min_uses = 1;
    bool background_update = true;
    std::string status_header = "X-Cache-Status";  ///< "" = off
    bool honour_client = true;                     ///< client_cache_control
    [[nodiscard]] bool has(RetryOn word) const noexcept {
        return (use_stale & static_cast<std::uint32_t>(word)) != 0;
    }
};

/// Everything a location carries besides matcher and action, all levels merged. Locations without
/// keys of their own share their host's object.
struct Policy {
    std::vector<std::string> methods;  ///< empty = all
    std::vector<HeaderRule> request_headers;
    std::vector<HeaderRule> response_headers;  ///< security_headers: the set_if_absent ones first
    bool security_headers = false;
    Timeouts timeouts;
    std::uint64_t max_body_size = UINT64_MAX;
    bool request_buffering = true;
    bool buffering = true;
    std::size_t buffer_request = std::size_t{128} << 10;
    std::size_t buffer_response = std::size_t{256} << 10;
    std::size_t buffer_header = std::size_t{64} << 10;
    bool websocket = true;
    std::vector<ErrorPage> error_pages;
    bool intercept_errors = false;
    std::shared_ptr<const AccessLog> access_log;  ///< null = off
    std::optional<Mirror> mirror;
    std::shared_ptr<const Cache> cache;  ///< null = off
    bool rewrite_location = true;
    std::vector<CookieRule> cookie_domain;
    std::vector<CookieRule> cookie_path;  ///< longest `from` first
    enum class Path : std::uint8_t { raw, normalized, strict } path = Path::raw;
};

struct Matcher {
    enum class Kind : std::uint8_t {
        exact,         ///< "= /x"
        prefix,        ///< "/x": whole path elements
        raw_prefix,    ///< "/x*"
        final_prefix,  ///< "^~ /x": as prefix, and the regexes are not tried
        regex,         ///< "~ re"
        iregex,        ///< "~* re"
    } kind = Kind::prefix;
    std::string text;    ///< path or expression, without the sign
    std::string source;  ///< as written, for $location_name and logs
};

struct PathRule {
    enum class Kind : std::uint8_t { none, strip, replace, rewrite } kind = Kind::none;
    std::string replacement;  ///< replace_prefix
    std::string match;        ///< rewrite: RE2 expression on the normalised path
    vars::Template to;        ///< rewrite: with $1 .. $9
};

/// Shares of one location's requests over several upstreams.
struct TrafficSplit {
    struct Share {
        std::string upstream;  ///< name in Snapshot::upstreams
        unsigned weight = 1;
    };
    std::vector<Share> shares;  ///< in file order
    vars::Template key;         ///< what keeps a client on its share; empty = its address
};

struct Action {
    enum class Kind : std::uint8_t { upstream, answer, redirect } kind = Kind::upstream;
    std::string upstream;                       ///< name in Snapshot::upstreams; empty with a split
    std::shared_ptr<const TrafficSplit> split;  ///< instead of `upstream`; null = none
    int status = 0;                             ///< answer, redirect
    vars::Template text;                        ///< answer: body; redirect: target
    std::string content_type = "text/plain";
    bool status_by_method = false;  ///< redirect without a status: 301 for GET and HEAD, else 308
};

struct Location {
    Matcher matcher;
    Action action;
    PathRule path_rule;
    std::shared_ptr<const Policy> policy;
    Origin origin;
};

/// From this many days before it expires, a certificate is spoken of.
inline constexpr std::int64_t kExpiresSoonDays = 14;

/// What TLS serves a host with. Hosts with the same files and settings share one.
struct HostTls {
    /// The same in every generation as long as the settings and the names of the files are.
    std::string identity;
    std::shared_ptr<const net::tls::ServerPolicy> policy;
    std::shared_ptr<net::tls::CertificateSlot> certificates;
    bool asks_clients = false;  ///< for certificates of their own
    struct Pair {
        std::string certificate, key;  ///< files
        Origin origin;
    };
    std::vector<Pair> files;
};

struct Host {
    std::string name;                 ///< the key; "*" = every name that nothing else has
    std::vector<std::string> names;   ///< name and aliases; exact, "*.x", "x.*", "~re"
    std::vector<std::string> listen;  ///< names of listeners; empty = all
    [[nodiscard]] bool listens_on(std::string_view listener) const {
        return listen.empty() || std::find(listen.begin(), listen.end(), listener) != listen.end();
    }
    std::vector<Location> locations;       ///< in file order
    std::shared_ptr<const Policy> policy;  ///< for answers without a location
    std::shared_ptr<const HostTls> tls;    ///< null = plain only
    bool redirect_http = false;            ///< plain requests are sent to https
    std::uint16_t https_port = 443;        ///< where redirect_http sends them
    Origin origin;
};

struct ErrorLog {
    std::string path = "stderr";  ///< stderr | syslog | a file
    std::string level = "info";   ///< trace debug info warn error critical off
};

struct Snapshot {
    unsigned workers = 1;  ///< auto already resolved
    bool workers_auto = false;
    std::string user, group, pid_file;
    std::string control = "/run/proxyd/control.sock";
    Duration shutdown_timeout{30'000};
    std::vector<Listener> listeners;
    std::vector<Cidr> trusted_proxies;
    std::string real_ip_header = "X-Forwarded-For";
    bool via = true;
    enum class ServerHeader : std::uint8_t { pass, text, off } server_header = ServerHeader::pass;
    std::string server_header_text;
    ErrorLog error_log;
    std::shared_ptr<const AccessLog> access_log;  ///< the top level's; null = off
    Resolver resolver;
    std::map<std::string, std::shared_ptr<const Upstream>> upstreams;
    std::vector<Map> maps;
    std::map<std::string, CacheZone> caches;
    std::vector<Host> hosts;
    std::shared_ptr<const Policy> default_policy;  ///< `defaults`; for answers without a location
    std::string source_path;
};

}  // namespace proxyd::config
