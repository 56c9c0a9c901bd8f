#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxyd/base/ip.hpp"
#include "proxyd/http/field.hpp"
#include "proxyd/vars/template.hpp"

/// The configuration as values, complete and validated: every default filled in, every level
/// merged, every name resolved. Immutable once load() returned it; shared by all threads.
namespace proxyd::net::tls {
class ClientPolicy;
}

namespace proxyd::config {

using Duration = std::chrono::milliseconds;

/// Where something was written, for messages and -T. line and column count from 1; 0 = a default.
struct Origin {
    std::shared_ptr<const std::string> file;
    int line = 0;
    int column = 0;
};

/// "127.0.0.1:3000", "app.internal:3003", "unix:/run/app.sock".
struct Address {
    enum class Kind : std::uint8_t { ip, name, unix_socket };
    Kind kind = Kind::ip;
    IpAddress ip;      ///< Kind::ip
    std::string name;  ///< Kind::name: host; Kind::unix_socket: path
    std::uint16_t port = 0;
    bool any = false;    ///< listeners: ":80", every address of both families
    bool https = false;  ///< servers: written as https://, which switches TLS on
    std::string text;    ///< normalised spelling, the identity of the address
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
    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};

struct Listener {
    std::string name;
    Address address;
    int backlog = 4096;
    bool proxy_protocol = false;  ///< each connection begins with a PROXY header
    ClientLimits client;
};

struct Server {
    Address address;
    unsigned weight = 1;
    unsigned max_fails = 3;  ///< 0 = failures are not counted
    Duration fail_timeout{10'000};
    bool backup = false;
    bool down = false;
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
    std::size_t keepalive = 32;  ///< idle connections kept for each worker; 0 = none
    Duration keepalive_timeout{60'000};
    std::uint64_t keepalive_requests = 10'000;
    Retry retry;
    Timeouts timeouts;
    UpstreamTls tls;
    ProxyProtocol proxy_protocol = ProxyProtocol::off;
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
    std::string name;      ///< as written
    vars::Template value;  ///< an empty expansion adds nothing
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

struct Action {
    enum class Kind : std::uint8_t { upstream, answer, redirect } kind = Kind::upstream;
    std::string upstream;  ///< name in Snapshot::upstreams
    int status = 0;        ///< answer, redirect
    vars::Template text;   ///< answer: body; redirect: target
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

struct Host {
    std::string name;                      ///< the key; "*" = every name that nothing else has
    std::vector<std::string> names;        ///< name and aliases; exact, "*.x", "x.*", "~re"
    std::vector<std::string> listen;       ///< names of listeners; empty = all
    std::vector<Location> locations;       ///< in file order
    std::shared_ptr<const Policy> policy;  ///< for answers without a location
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
    std::map<std::string, std::shared_ptr<const Upstream>> upstreams;
    std::vector<Map> maps;
    std::vector<Host> hosts;
    std::shared_ptr<const Policy> default_policy;  ///< `defaults`; for answers without a location
    std::string source_path;
};

}  // namespace proxyd::config
