#include <sched.h>

#include <thread>

#include "config/keys_caches.hpp"
#include "config/keys_defaults.hpp"
#include "config/keys_hosts.hpp"
#include "config/keys_listeners.hpp"
#include "config/keys_log.hpp"
#include "config/keys_maps.hpp"
#include "config/keys_resolver.hpp"
#include "config/keys_tls.hpp"
#include "config/keys_upstreams.hpp"
#include "config/read_top.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

/// The CPUs that the process may use: its affinity, which containers and taskset narrow.
unsigned usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
    return std::max(1U, std::thread::hardware_concurrency());
}

void store_workers(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& workers = static_cast<Snapshot*>(target)->workers;
    auto& automatic = static_cast<Snapshot*>(target)->workers_auto;
    automatic = node.is_scalar() && node.text == "auto";
    if (automatic) {
        workers = usable_cpus();
    } else if (node.is_scalar() && !units::parse_count(node.text)) {
        reader.wrong(node, key.name, "a number or auto");
    } else if (const auto value = reader.number(node, key)) {
        workers = static_cast<unsigned>(*value);
    }
}

/// Followed when the files were read; here it is only known.
void store_include(Reader& reader, const Key& key, const Node& node, void*) {
    static_cast<void>(reader.scalars(node, key.name));
}

void store_version(Reader& reader, const Key& key, const Node& node, void*) {
    if (node.is_scalar() && node.text == "1") return;
    reader.wrong(node, key.name, "1", "it is the only version of this format");
}

/// `off` = none.
template <std::string Snapshot::*Member>
void store_socket_path(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    const bool off = parse_boolean(*text) == false;
    static_cast<Snapshot*>(target)->*Member = off ? "" : resolve_path(node);
}

void store_trusted(Reader& reader, const Key& key, const Node& node, void* target) {
    for (const Node* item : reader.scalars(node, key.name)) {
        if (const auto network = Cidr::parse(item->text)) {
            static_cast<Snapshot*>(target)->trusted_proxies.push_back(*network);
        } else {
            reader.report.error(item->at, "'" + item->text + "' is not an address or a network",
                                "10.0.0.0/8 or \"::1\"");
        }
    }
}

void store_real_ip_header(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (!is_token(*text)) {
        reader.report.error(node.at, "'" + *text + "' is not a field name");
        return;
    }
    static_cast<Snapshot*>(target)->real_ip_header = *text;
}

void store_client(Reader& reader, const Key& key, const Node& node, void*) {
    reader.read_map(node, kClientTable, Where{key.name}, &reader.client);
}

void store_server_header(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text || !is_field_value(reader, node, key.name)) return;
    if (parse_boolean(*text) == true) return reader.wrong(node, key.name, "pass, off or a text");
    auto& snapshot = *static_cast<Snapshot*>(target);
    snapshot.server_header_text.clear();
    if (*text == "pass") {
        snapshot.server_header = Snapshot::ServerHeader::pass;
    } else if (parse_boolean(*text) == false) {
        snapshot.server_header = Snapshot::ServerHeader::off;
    } else {
        snapshot.server_header = Snapshot::ServerHeader::text;
        snapshot.server_header_text = *text;
    }
}

/// The order of the rows is the order of reading: what others name comes first.
constexpr Key kKeys[] = {
    {.name = "version",
     .type = Type::count,
     .fallback = "1",
     .doc = "The version of this format.",
     .store = store_version},
    {.name = "include",
     .type = Type::list,
     .doc = "Files to merge in, relative to this one; a pattern may match nothing.",
     .nginx = "include",
     .store = store_include},
    {.name = "workers",
     .type = Type::count,
     .fallback = "auto",
     .doc = "Threads; auto = the CPUs that the process may use.",
     .range = {1, 1024},
     .words = "auto",
     .nginx = "worker_processes",
     .store = store_workers},
    {.name = "user",
     .type = Type::text,
     .doc = "Whom to become when started as root, keeping CAP_NET_BIND_SERVICE.",
     .nginx = "user",
     .store = store<&Snapshot::user>},
    {.name = "group",
     .type = Type::text,
     .doc = "The group, when it is not the user's own.",
     .store = store<&Snapshot::group>},
    {.name = "pid_file",
     .type = Type::path,
     .doc = "Where to write the process number.",
     .nginx = "pid",
     .store = store_socket_path<&Snapshot::pid_file>},
    {.name = "control",
     .type = Type::path,
     .fallback = "/run/proxyd/control.sock",
     .doc = "The unix socket that `proxyd -s` and the verbs speak to; off = none.",
     .store = store_socket_path<&Snapshot::control>},
    {.name = "temp_path",
     .type = Type::path,
     .doc = "Where spooled bodies go.",
     .nginx = "client_body_temp_path proxy_temp_path"},
    {.name = "temp_max_size",
     .type = Type::size,
     .doc = "Spooled bodies of the whole process; beyond it requests are streamed.",
     .nginx = "proxy_max_temp_file_size"},
    {.name = "shutdown_timeout",
     .type = Type::duration,
     .fallback = "30s",
     .doc = "How long a graceful stop waits for requests in flight; 0 = until the last one ends.",
     .range = {0, 86'400'000ULL},
     .nginx = "worker_shutdown_timeout",
     .store = store<&Snapshot::shutdown_timeout>},
    {.name = "client",
     .type = Type::map,
     .doc = "Limits of the client side; the same keys under a listener are for that one.",
     .store = store_client,
     .inner = &kClientTable},
    {.name = "listeners",
     .type = Type::names,
     .fallback = "{ http: { address: \":80\" } }",
     .doc = "What is listened on; a scalar is the address.",
     .store = store_listeners,
     .inner = &kListenerTable,
     .scalar = "address"},
    {.name = "trusted_proxies",
     .type = Type::list,
     .doc = "Networks whose X-Forwarded-For is believed, walked from right to left.",
     .nginx = "set_real_ip_from",
     .store = store_trusted},
    {.name = "real_ip_header",
     .type = Type::text,
     .fallback = "X-Forwarded-For",
     .doc = "The field in which trusted proxies name the client.",
     .nginx = "real_ip_header",
     .store = store_real_ip_header},
    {.name = "via",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Send Via to the upstream.",
     .store = store<&Snapshot::via>},
    {.name = "server_header",
     .type = Type::text,
     .fallback = "pass",
     .doc = "Server on answers: pass = the upstream's, off = none, else this text.",
     .nginx = "server_tokens",
     .store = store_server_header},
    {.name = "upstreams",
     .type = Type::names,
     .doc = "Named groups of servers; a scalar or a list stands for `servers`.",
     .nginx = "upstream",
     .store = store_upstreams,
     .inner = &kUpstreamTable,
     .scalar = "servers"},
    {.name = "maps",
     .type = Type::names,
     .doc = "Variables made from others.",
     .nginx = "map",
     .store = store_maps,
     .inner = &kMapTable},
    {.name = "caches",
     .type = Type::names,
     .doc = "Zones of the cache; a zone without a path lives in memory only.",
     .nginx = "proxy_cache_path",
     .store = store_caches,
     .inner = &kCacheZoneTable},
    {.name = "log",
     .type = Type::map,
     .doc = "Error log, access log and its formats.",
     .store = store_log,
     .inner = &kLogTable},
    {.name = "defaults",
     .type = Type::map,
     .doc = "What every host starts from.",
     .store = store_defaults,
     .inner = &kDefaultsTable},
    {.name = "hosts",
     .type = Type::names,
     .doc = "Virtual hosts; a scalar is the upstream; `\"*\"` is every name that nothing else has.",
     .nginx = "server",
     .store = store_hosts,
     .inner = &kHostTable,
     .scalar = "upstream"},
    {.name = "admin",
     .type = Type::map,
     .doc = "Metrics and status pages.",
     .nginx = "stub_status",
     .inert = "off|false"},
    {.name = "rate_limits",
     .type = Type::names,
     .doc = "Zones that count requests.",
     .nginx = "limit_req_zone"},
    {.name = "connection_limits",
     .type = Type::names,
     .doc = "Zones that count connections.",
     .nginx = "limit_conn_zone"},
    {.name = "resolver",
     .type = Type::map,
     .doc = "How the names of servers are looked up.",
     .nginx = "resolver",
     .store = store_map<&Snapshot::resolver>,
     .inner = &kResolverTable},
    {.name = "acme", .type = Type::map, .doc = "Certificates by ACME."},
    {.name = "tests", .type = Type::list, .doc = "Requests that -t tries on the configuration."},
};

/// Names that may be used before the section that defines them was read.
void collect_names(Reader& reader, const Node& root) {
    const auto each = [&](std::string_view section, auto&& add) {
        const Node* node = root.find(section);
        for (const Node& item : node != nullptr ? node->items : std::vector<Node>{}) add(item.key);
    };
    each("maps", [&](const std::string& name) { reader.map_names.insert(name); });
    each("upstreams", [&](const std::string& name) { reader.upstream_names.insert(name); });
    each("listeners", [&](const std::string& name) { reader.listener_names.insert(name); });
    reader.listeners_given = !reader.listener_names.empty();
    if (reader.listeners_given) return;
    reader.listener_names.insert("http");
    if (asks_for_tls(root)) reader.listener_names.insert("https");
}

/// What a section's absence means.
void before_section(Reader& reader, std::string_view name) {
    if (name == "defaults") reader.snapshot.default_policy = builtin_policy(reader);
    if (name == "hosts") ensure_listeners(reader);
}

}  // namespace

constinit const Table kTopTable{.name = "the top level", .keys = kKeys};

void read_top(Reader& reader, const Node& root) {
    reader.apply_defaults(kTopTable, &reader.snapshot);
    reader.apply_defaults(kClientTable, &reader.client);
    reader.apply_defaults(kHttp2Table, &reader.client);
    apply_log_defaults(reader);
    collect_names(reader, root);
    for (const Key& key : kKeys) {
        before_section(reader, key.name);
        const Node* node = root.find(key.name);
        if (node != nullptr)
            reader.read_entry(*node, kTopTable, Where{""}, &reader.snapshot, nullptr);
    }
    for (const Node& item : root.items) {
        if (kTopTable.find(item.key) != nullptr) continue;
        reader.read_entry(item, kTopTable, Where{""}, &reader.snapshot, nullptr);
    }
}

}  // namespace proxyd::config
