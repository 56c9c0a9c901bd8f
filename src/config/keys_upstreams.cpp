#include <algorithm>

#include "config/address.hpp"
#include "config/keys_balance.hpp"
#include "config/keys_health.hpp"
#include "config/keys_retry.hpp"
#include "config/keys_upstreams.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

void report_address(Reader& reader, const Node& node, AddressResult& result) {
    reader.report.error(node.at, std::move(result.problem), std::move(result.hint));
}

/// For the check of names; a default has no place.
void note_name(Reader& reader, const Address& address, const Node& node) {
    if (const auto asked = asked_name(address)) reader.looked_up[*asked].push_back(node.at);
}

template <AddressResult Parse(std::string_view)>
void store_server_address(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    AddressResult result = Parse(*text);
    if (!result.address) return report_address(reader, node, result);
    Address& address = static_cast<Server*>(target)->address;
    if (!address.text.empty()) {
        return reader.report.error(node.key_at, "a server has either 'address' or 'srv'");
    }
    note_name(reader, *result.address, node);
    address = *std::move(result.address);
}

constexpr std::string_view kProxyWords = "off|v1|v2";

void store_proxy_protocol(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    auto& version = static_cast<Upstream*>(target)->proxy_protocol;
    if (parse_boolean(*text) == false) {
        version = ProxyProtocol::off;
    } else if (*text == "v1" || *text == "v2") {
        version = *text == "v1" ? ProxyProtocol::v1 : ProxyProtocol::v2;
    } else {
        reader.report.error(node.at, "'proxy_protocol' wants off, v1 or v2, not " + node.describe(),
                            "v2 unless the server knows v1 only");
    }
}

void read_server(Reader& reader, const Node& node, Upstream& upstream) {
    Server server;
    reader.apply_defaults(kServerTable, &server);
    const std::size_t errors = reader.report.errors();
    if (node.is_map()) {
        reader.read_map(node, kServerTable, Where{"servers"}, &server);
    } else {
        reader.read_map(expand_shorthand(node, "address"), kServerTable, Where{"servers"}, &server);
    }
    if (reader.report.errors() != errors) return;
    if (server.address.text.empty()) {
        reader.report.error(node.at, "this server has no address");
        return;
    }
    upstream.servers.push_back(std::move(server));
}

void store_servers(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& upstream = *static_cast<Upstream*>(target);
    if (node.is_scalar()) return read_server(reader, node, upstream);
    if (!node.is_list()) return reader.wrong(node, key.name, "a list of servers");
    for (const Node& item : node.items) read_server(reader, item, upstream);
}

constexpr Key kServerKeys[] = {
    {.name = "address",
     .type = Type::address,
     .doc = "A port of this machine, host:port, http:// or https://host:port, or unix:/path; never "
            "with a path.",
     .nginx = "server",
     .store = store_server_address<parse_server_address>},
    {.name = "srv",
     .type = Type::text,
     .doc = "Instead of address: a service whose SRV records name the servers, their ports, "
            "weights and, by priority, which are backups.",
     .store = store_server_address<parse_service>},
    {.name = "weight",
     .type = Type::count,
     .fallback = "1",
     .doc = "Share of the requests against the other servers.",
     .range = {1, 65'535},
     .store = store<&Server::weight>},
    {.name = "max_fails",
     .type = Type::count,
     .fallback = "3",
     .doc = "Failures within fail_timeout after which the server rests; 0 = never.",
     .range = {0, 1'000'000},
     .store = store<&Server::max_fails>},
    {.name = "fail_timeout",
     .type = Type::duration,
     .fallback = "10s",
     .doc = "The window of max_fails, and how long the server then rests.",
     .range = kWait,
     .store = store<&Server::fail_timeout>},
    {.name = "max_conns",
     .type = Type::count,
     .fallback = "0",
     .doc = "Requests at one time, of all workers; 0 = no limit.",
     .range = {0, 1'000'000'000},
     .nginx = "max_conns",
     .store = store<&Server::max_conns>},
    {.name = "slow_start",
     .type = Type::duration,
     .fallback = "0s",
     .doc = "How long a recovered server takes to get its full share; 0 = none.",
     .range = {0, kWait.max},
     .nginx = "slow_start",
     .store = store<&Server::slow_start>},
    {.name = "backup",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Used only when no other server can be.",
     .store = store<&Server::backup>},
    {.name = "down",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Never used.",
     .store = store<&Server::down>},
};

constexpr Key kTimeoutKeys[] = {
    {.name = "connect",
     .type = Type::duration,
     .fallback = "5s",
     .doc = "Until the server accepts the connection.",
     .range = kWait,
     .nginx = "proxy_connect_timeout",
     .store = store<&Timeouts::connect>,
     .inherits = true},
    {.name = "send",
     .type = Type::duration,
     .fallback = "60s",
     .doc = "Between two writes to the server that took bytes.",
     .range = kWait,
     .nginx = "proxy_send_timeout",
     .store = store<&Timeouts::send>,
     .inherits = true},
    {.name = "read",
     .type = Type::duration,
     .fallback = "300s",
     .doc = "Between two reads from the server that brought bytes, and for the whole head of an "
            "answer from its first byte.",
     .range = kWait,
     .nginx = "proxy_read_timeout",
     .store = store<&Timeouts::read>,
     .inherits = true},
    {.name = "upgraded",
     .type = Type::duration,
     .fallback = "24h",
     .doc = "How long an upgraded connection (WebSocket) may be silent.",
     .range = {1, kWait.max * 12},
     .store = store<&Timeouts::upgraded>,
     .inherits = true},
    {.name = "total",
     .type = Type::duration,
     .fallback = "0s",
     .doc = "The whole exchange; 0 = no limit.",
     .range = {0, kWait.max},
     .store = store<&Timeouts::total>,
     .inherits = true},
};

constexpr Key kUpstreamKeys[] = {
    {.name = "balance",
     .type = Type::word,
     .fallback = "round_robin",
     .doc = "How the next server is chosen.",
     .words = "round_robin|least_conn|ip_hash|hash|random_two",
     .nginx = "least_conn ip_hash random",
     .store = store_balance},
    {.name = "hash",
     .type = Type::map,
     .doc = "What `balance: hash` goes by.",
     .store = store_scalar_map<&Upstream::hash>,
     .inner = &kHashTable,
     .scalar = "key"},
    {.name = "ip_hash",
     .type = Type::map,
     .doc = "What `balance: ip_hash` goes by.",
     .store = store_map<&Upstream::ip_hash>,
     .inner = &kIpHashTable},
    {.name = "keepalive",
     .type = Type::count,
     .fallback = "32",
     .doc = "Idle connections kept for each worker; 0 = none.",
     .range = {0, 100'000},
     .store = store<&Upstream::keepalive>},
    {.name = "keepalive_timeout",
     .type = Type::duration,
     .fallback = "60s",
     .doc = "How long an idle connection is kept.",
     .range = kWait,
     .store = store<&Upstream::keepalive_timeout>},
    {.name = "keepalive_requests",
     .type = Type::count,
     .fallback = "10000",
     .doc = "Requests on one connection.",
     .range = {1, UINT64_MAX},
     .store = store<&Upstream::keepalive_requests>},
    {.name = "servers",
     .type = Type::list,
     .doc = "The servers; each an address or a map.",
     .store = store_servers,
     .inner = &kServerTable,
     .scalar = "address"},
    {.name = "health_check",
     .type = Type::map,
     .doc = "Active checks of the servers; a text is the path, off = none.",
     .store = store_health_check,
     .inner = &kHealthTable,
     .scalar = "path"},
    {.name = "max_ejected",
     .type = Type::percent,
     .fallback = "50%",
     .doc = "Share of the servers that may rest after max_fails at one time, at least one; never "
            "the last one.",
     .range = {0, 100},
     .store = store<&Upstream::max_ejected>},
    {.name = "retry",
     .type = Type::map,
     .doc = "When a request goes to the next server; or off.",
     .store = store_retry,
     .inner = &kRetryTable},
    {.name = "timeouts",
     .type = Type::map,
     .doc = "Time limits of this upstream where no location, host or `defaults` has its own.",
     .store = store_map<&Upstream::timeouts>,
     .inner = &kTimeoutsTable},
    {.name = "tls",
     .type = Type::map,
     .doc = "TLS to the servers: on, off or a map.",
     .store = with_its_map,
     .inner = &kUpstreamTlsTable,
     .scalar = "enabled"},
    {.name = "http2",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "HTTP/2 to the servers: with tls where they choose it (ALPN), without tls always.",
     .nginx = "grpc_pass",
     .store = store<&Upstream::http2>},
    {.name = "proxy_protocol",
     .type = Type::word,
     .fallback = "off",
     .doc =
         "Each connection to a server begins with a PROXY protocol header that names the client; "
         "it then serves that client only.",
     .words = kProxyWords,
     .store = store_proxy_protocol},
    {.name = "queue",
     .type = Type::map,
     .doc = "What waits while every server is at max_conns.",
     .store = store_scalar_map<&Upstream::queue>,
     .inner = &kQueueTable,
     .scalar = "size"},
    {.name = "sticky",
     .type = Type::map,
     .doc = "Keep a client on its server by a cookie; or off.",
     .store = store_sticky,
     .inner = &kStickyTable,
     .scalar = "cookie"},
};

void add_implicit(Reader& reader, Address address, const Position& at) {
    auto upstream = std::make_shared<Upstream>();
    reader.apply_defaults(kUpstreamTable, upstream.get());
    upstream->name = address.text;
    upstream->implicit = true;
    upstream->origin = at.origin();
    Server server;
    reader.apply_defaults(kServerTable, &server);
    server.address = std::move(address);
    upstream->servers.push_back(std::move(server));
    read_upstream_tls(reader, nullptr, at, *upstream);
    reader.snapshot.upstreams.emplace(upstream->name, std::move(upstream));
}

void check_servers(Reader& reader, const Node& node, const Upstream& upstream) {
    if (upstream.servers.empty()) {
        reader.report.error(node.key_at, "upstream '" + node.key + "' has no servers",
                            "servers: [\"127.0.0.1:3000\"]");
    } else if (std::all_of(upstream.servers.begin(), upstream.servers.end(),
                           [](const Server& server) { return server.down; })) {
        reader.report.error(node.key_at,
                            "upstream '" + node.key + "' has no usable server: all are down");
    }
}

void read_upstream(Reader& reader, const Node& written, const Key& key) {
    const Node node =
        written.is_scalar() || written.is_list() ? expand_shorthand(written, key.scalar) : written;
    if (looks_like_address(node.key)) {
        reader.report.error(node.key_at, "the name '" + node.key + "' would read as an address",
                            "name an upstream with letters");
    }
    auto upstream = std::make_shared<Upstream>();
    reader.apply_defaults(kUpstreamTable, upstream.get());
    upstream->name = node.key;
    upstream->origin = node.key_at.origin();
    const std::size_t errors = reader.report.errors();
    reader.read_map(node, kUpstreamTable, Where{"upstream", node.key}, upstream.get());
    read_upstream_tls(reader, node.find("tls"), node.key_at, *upstream);
    if (reader.report.errors() == errors) check_servers(reader, node, *upstream);
    if (reader.report.errors() == errors) check_balance(reader, node, *upstream);
    reader.snapshot.upstreams.emplace(upstream->name, std::move(upstream));
}

}  // namespace

constinit const Table kServerTable{.name = "a server", .keys = kServerKeys};
constinit const Table kTimeoutsTable{.name = "timeouts", .keys = kTimeoutKeys};
constinit const Table kUpstreamTable{.name = "an upstream", .keys = kUpstreamKeys};

void store_upstreams(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map of names", "upstreams: { app: 3000 }");
    }
    for (const Node& item : node.items) read_upstream(reader, item, key);
}

std::string use_upstream(Reader& reader, const Node& node) {
    const auto text = reader.text(node, node.key.empty() ? "upstream" : std::string_view(node.key));
    if (!text) return "";
    if (reader.upstream_names.contains(*text)) return *text;
    if (!looks_like_address(*text)) {
        std::vector<std::string_view> names(reader.upstream_names.begin(),
                                            reader.upstream_names.end());
        std::string hint = did_you_mean(*text, names);
        if (hint.empty())
            hint = "name one of 'upstreams', or write a port, host:port or unix:/path";
        reader.report.error(node.at, "unknown upstream '" + *text + "'", std::move(hint));
        return "";
    }
    AddressResult result = parse_server_address(*text);
    if (!result.address) {
        report_address(reader, node, result);
        return "";
    }
    std::string name = result.address->text;
    if (!reader.snapshot.upstreams.contains(name)) {
        note_name(reader, *result.address, node);
        add_implicit(reader, *std::move(result.address), node.at);
    }
    return name;
}

}  // namespace proxyd::config
