#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "config/key_table.hpp"
#include "config/yaml_tree.hpp"
#include "support/certificates.hpp"
#include "unit/config/load_support.hpp"

/// The keys of the contract, written down a second time on purpose: when a row of a table goes
/// away, parser, -T and reference each fail here.
namespace proxyd::config {
namespace {

struct Promise {
    std::string path;
    std::string value;  ///< flow YAML; "" = specified, not built yet
};

const std::vector<Promise> kPromises = {
    {"version", "1"},
    {"include", "[]"},
    {"workers", "2"},
    {"user", "proxyd"},
    {"group", "proxyd"},
    {"pid_file", "/run/p.pid"},
    {"control", "/run/c.sock"},
    {"temp_path", ""},
    {"temp_max_size", ""},
    {"shutdown_timeout", "5s"},
    {"client", "{ send_timeout: 5s }"},
    {"listeners", "{ x: ':1' }"},
    {"trusted_proxies", "[10.0.0.0/8]"},
    {"real_ip_header", "X-Real-IP"},
    {"via", "off"},
    {"server_header", "off"},
    {"upstreams", "{ x: 3000 }"},
    {"maps", "{ x: { from: $uri } }"},
    {"log", "{ error: stderr }"},
    {"defaults", "{ websocket: off }"},
    {"hosts", "{ x: 3000 }"},
    {"admin", ""},
    {"caches", "{ c: {} }"},
    {"caches.NAME.path", "/var/cache/proxyd/c"},
    {"caches.NAME.levels", "'2:2'"},
    {"caches.NAME.memory", "1m"},
    {"caches.NAME.max_size", "1g"},
    {"caches.NAME.max_object_size", "1m"},
    {"caches.NAME.inactive", "1h"},
    {"rate_limits", ""},
    {"connection_limits", ""},
    {"resolver", "{ timeout: 3s }"},
    {"resolver.servers", "[127.0.0.53, '10.0.0.2:5353', '::1', '[::1]:53']"},
    {"resolver.timeout", "3s"},
    {"acme", ""},
    {"tests", ""},
    {"listeners.NAME.address", "':1'"},
    {"listeners.NAME.backlog", "5"},
    {"listeners.NAME.tls", "off"},
    {"listeners.NAME.http2.enabled", "on"},
    {"listeners.NAME.proxy_protocol", "on"},
    {"listeners.NAME.max_connections", ""},
    {"CLIENT.header_timeout", "5s"},
    {"CLIENT.body_timeout", "5s"},
    {"CLIENT.min_rate", "10"},
    {"CLIENT.send_timeout", "5s"},
    {"CLIENT.keepalive_timeout", "5s"},
    {"CLIENT.keepalive_requests", "5"},
    {"CLIENT.max_header_size", "8k"},
    {"CLIENT.max_headers", "50"},
    {"CLIENT.http2", "{ max_concurrent_streams: 10 }"},
    {"CLIENT.http2.max_concurrent_streams", "10"},
    {"CLIENT.http2.max_resets_per_minute", "0"},
    {"log.error", "{ level: warn }"},
    {"log.access", "{ path: /tmp/a }"},
    {"log.formats", "{ mine: $uri }"},
    {"log.error.path", "syslog"},
    {"log.error.level", "debug"},
    {"log.access.path", "/tmp/a"},
    {"log.access.format", "json"},
    {"log.access.buffer", "0"},
    {"log.access.flush", "5s"},
    {"upstreams.NAME.balance", "round_robin"},
    {"upstreams.NAME.hash", "{ key: $uri }"},
    {"upstreams.NAME.hash.key", "$uri"},
    {"upstreams.NAME.hash.consistent", "on"},
    {"upstreams.NAME.hash.bounded_load", "1.25"},
    {"upstreams.NAME.ip_hash", "{ ipv4_prefix: 16 }"},
    {"upstreams.NAME.ip_hash.ipv4_prefix", "16"},
    {"upstreams.NAME.ip_hash.ipv6_prefix", "64"},
    {"upstreams.NAME.keepalive", "5"},
    {"upstreams.NAME.keepalive_timeout", "5s"},
    {"upstreams.NAME.keepalive_requests", "5"},
    {"upstreams.NAME.servers", "[3000]"},
    {"upstreams.NAME.health_check", "/healthz"},
    {"upstreams.NAME.health_check.type", "tcp"},
    {"upstreams.NAME.health_check.path", "/healthz"},
    {"upstreams.NAME.health_check.host", "app.test"},
    {"upstreams.NAME.health_check.method", "HEAD"},
    {"upstreams.NAME.health_check.port", "8081"},
    {"upstreams.NAME.health_check.interval", "1s"},
    {"upstreams.NAME.health_check.timeout", "1s"},
    {"upstreams.NAME.health_check.expect", "[200, 300-399]"},
    {"upstreams.NAME.health_check.body", "'~^ok'"},
    {"upstreams.NAME.health_check.rise", "1"},
    {"upstreams.NAME.health_check.fall", "1"},
    {"upstreams.NAME.max_ejected", "30%"},
    {"upstreams.NAME.retry", "{ attempts: 1 }"},
    {"upstreams.NAME.timeouts", "{ read: 5s }"},
    {"upstreams.NAME.tls", "{ verify: off }"},
    {"upstreams.NAME.tls.enabled", "on"},
    {"upstreams.NAME.tls.verify", "off"},
    {"upstreams.NAME.tls.server_name", "$host"},
    {"upstreams.NAME.tls.ca", "'@CERT@'"},
    {"upstreams.NAME.tls.certificate", "'@CERT@'"},
    {"upstreams.NAME.tls.key", "'@KEY@'"},
    {"upstreams.NAME.http2", "on"},
    {"upstreams.NAME.proxy_protocol", "v1"},
    {"upstreams.NAME.queue", "{ size: 5 }"},
    {"upstreams.NAME.queue.size", "5"},
    {"upstreams.NAME.queue.timeout", "5s"},
    {"upstreams.NAME.sticky", "{ cookie: srv }"},
    {"upstreams.NAME.sticky.cookie", "srv"},
    {"upstreams.NAME.sticky.ttl", "1h"},
    {"upstreams.NAME.servers.address", "3000"},
    {"upstreams.NAME.servers.srv", "_http._tcp.app.internal"},
    {"upstreams.NAME.servers.weight", "5"},
    {"upstreams.NAME.servers.max_fails", "5"},
    {"upstreams.NAME.servers.fail_timeout", "5s"},
    {"upstreams.NAME.servers.max_conns", "5"},
    {"upstreams.NAME.servers.slow_start", "5s"},
    {"upstreams.NAME.servers.backup", "on"},
    {"upstreams.NAME.servers.down", "off"},
    {"upstreams.NAME.retry.on", "[http_503]"},
    {"upstreams.NAME.retry.attempts", "5"},
    {"upstreams.NAME.retry.timeout", "5s"},
    {"upstreams.NAME.retry.non_idempotent", "on"},
    {"upstreams.NAME.retry.budget", "30%"},
    {"TIMEOUTS.connect", "5s"},
    {"TIMEOUTS.send", "5s"},
    {"TIMEOUTS.read", "5s"},
    {"TIMEOUTS.upgraded", "5s"},
    {"TIMEOUTS.total", "5s"},
    {"maps.NAME.from", "$uri"},
    {"maps.NAME.values", "{ a: b }"},
    {"maps.NAME.default", "x"},
    {"defaults.listen", "[http]"},
    {"defaults.upstream", "3000"},
    {"defaults.return", "404"},
    {"defaults.redirect", "/x"},
    {"defaults.tls", "off"},
    {"defaults.redirect_http", "off"},
    {"hosts.NAME.names", "[y]"},
    {"hosts.NAME.listen", "[http]"},
    {"hosts.NAME.upstream", "3000"},
    {"hosts.NAME.return", "404"},
    {"hosts.NAME.redirect", "/x"},
    {"hosts.NAME.locations", "{ /: 3000 }"},
    {"hosts.NAME.tls", "off"},
    {"hosts.NAME.redirect_http", "off"},
    {"TLS.certificate", "'@CERT@'"},
    {"TLS.key", "'@KEY@'"},
    {"TLS.certificates", "[{ certificate: '@CERT@', key: '@KEY@' }]"},
    {"TLS.certificates.certificate", "'@CERT@'"},
    {"TLS.certificates.key", "'@KEY@'"},
    {"TLS.protocols", "[TLSv1.3]"},
    {"TLS.ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS.tls13_ciphersuites", "TLS_AES_128_GCM_SHA256"},
    {"TLS.prefer_server_ciphers", "off"},
    {"TLS.client_ca", "'@CERT@'"},
    {"TLS.client_verify", "optional"},
    {"LOCATION.upstream", "3000"},
    {"LOCATION.return", "404"},
    {"LOCATION.redirect", "/x"},
    {"LOCATION.strip_prefix", "on"},
    {"LOCATION.replace_prefix", "/y/"},
    {"LOCATION.rewrite", "{ match: a, to: /b }"},
    {"ACTION.split", "{ 3000: 1 }"},
    {"ACTION.split.upstreams", "{ 3000: 1 }"},
    {"ACTION.split.key", "$cookie_x"},
    {"ACTION.return.status", "404"},
    {"ACTION.return.body", "x"},
    {"ACTION.return.type", "a/b"},
    {"ACTION.redirect.to", "/x"},
    {"ACTION.redirect.status", "302"},
    {"LOCATION.rewrite.match", "a"},
    {"LOCATION.rewrite.to", "/b"},
    {"LEVEL.methods", "[GET]"},
    {"LEVEL.request_headers", "{ set: { A: b } }"},
    {"LEVEL.response_headers", "{ set: { A: b } }"},
    {"LEVEL.rewrite_location", "off"},
    {"LEVEL.cookie_domain", "{ a.internal: $host }"},
    {"LEVEL.cookie_path", "{ /: /api/ }"},
    {"LEVEL.security_headers", "on"},
    {"LEVEL.timeouts", "{ read: 5s }"},
    {"LEVEL.max_body_size", "5m"},
    {"LEVEL.request_buffering", "off"},
    {"LEVEL.buffering", "off"},
    {"LEVEL.buffers", "{ request: 8k }"},
    {"LEVEL.websocket", "off"},
    {"LEVEL.path", "strict"},
    {"LEVEL.error_pages", "{ 502: " PROXYD_SOURCE_DIR "/config/examples/errors/5xx.html }"},
    {"LEVEL.intercept_errors", "on"},
    {"LEVEL.access_log", "off"},
    {"LEVEL.root", ""},
    {"LEVEL.index", ""},
    {"LEVEL.try_files", ""},
    {"LEVEL.expires", ""},
    {"LEVEL.cache", "{ zone: c }"},
    {"LEVEL.cache.zone", "c"},
    {"LEVEL.cache.valid", "{ 200: 10m, any: 1m }"},
    {"LEVEL.cache.use_stale", "[error, updating]"},
    {"LEVEL.cache.lock", "off"},
    {"LEVEL.cache.key", "$uri"},
    {"LEVEL.cache.bypass", "[$http_authorization]"},
    {"LEVEL.cache.no_store", "[$cookie_session]"},
    {"LEVEL.cache.methods", "[GET]"},
    {"LEVEL.cache.min_uses", "2"},
    {"LEVEL.cache.background_update", "off"},
    {"LEVEL.cache.status_header", "X-C"},
    {"LEVEL.cache.client_cache_control", "ignore"},
    {"LEVEL.rate_limit", ""},
    {"LEVEL.connection_limit", ""},
    {"LEVEL.access", ""},
    {"LEVEL.basic_auth", ""},
    {"LEVEL.auth_request", ""},
    {"LEVEL.compress", ""},
    {"LEVEL.maintenance", ""},
    {"LEVEL.jwt", ""},
    {"LEVEL.mirror", "{ upstream: 3001 }"},
    {"LEVEL.mirror.upstream", "3001"},
    {"LEVEL.mirror.percent", "10"},
    {"LEVEL.request_headers.set", "{ A: b }"},
    {"LEVEL.request_headers.add", "{ A: b }"},
    {"LEVEL.request_headers.remove", "[A]"},
    {"LEVEL.response_headers.set", "{ A: b }"},
    {"LEVEL.response_headers.add", "{ A: b }"},
    {"LEVEL.response_headers.remove", "[A]"},
    {"LEVEL.buffers.request", "8k"},
    {"LEVEL.buffers.response", "8k"},
    {"LEVEL.buffers.header", "8k"},
    {"LEVEL.access_log.path", "/tmp/a"},
    {"LEVEL.access_log.format", "json"},
    {"LEVEL.access_log.buffer", "0"},
    {"LEVEL.access_log.flush", "5s"},
};

/// Words in capitals stand for every place that has those keys.
const std::map<std::string, std::vector<std::string>> kPlaces = {
    {"CLIENT", {"client", "listeners.NAME"}},
    {"TLS", {"defaults.tls", "hosts.NAME.tls"}},
    {"LOCATION", {"hosts.NAME.locations.NAME"}},
    {"ACTION", {"defaults", "hosts.NAME", "hosts.NAME.locations.NAME"}},
    {"LEVEL", {"defaults", "hosts.NAME", "hosts.NAME.locations.NAME"}},
    {"TIMEOUTS",
     {"upstreams.NAME.timeouts", "defaults.timeouts", "hosts.NAME.timeouts",
      "hosts.NAME.locations.NAME.timeouts"}},
};

/// Files that stand behind @CERT@ and @KEY@, made once.
std::string with_files(std::string text) {
    static const test::Pair pair =
        test::Authority("test").issue({.names = {"a", "x"}, .addresses = {}});
    for (const bool key : {false, true}) {
        const std::string mark = key ? "@KEY@" : "@CERT@";
        const std::size_t at = text.find(mark);
        if (at == std::string::npos) continue;
        const std::string path = testing::TempDir() + "proxyd-contract-" +
                                 std::to_string(::getpid()) + (key ? ".key" : ".pem");
        std::ofstream(path) << (key ? pair.key : pair.certificate);
        ::chmod(path.c_str(), 0600);
        text.replace(at, mark.size(), path);
        return with_files(std::move(text));
    }
    return text;
}

std::vector<Promise> all_promises() {
    std::vector<Promise> result;
    for (const Promise& promise : kPromises) {
        const std::string head = promise.path.substr(0, promise.path.find('.'));
        const auto places = kPlaces.find(head);
        if (places == kPlaces.end()) {
            result.push_back(promise);
            continue;
        }
        for (const std::string& place : places->second) {
            result.push_back({place + promise.path.substr(head.size()), promise.value});
        }
    }
    return result;
}

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= path.size()) {
        const std::size_t end = std::min(path.find('.', start), path.size());
        parts.push_back(path.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

/// What must stand beside `key` in the map `owner` so that the map is complete.
std::string company(const std::string& owner, const std::string& key) {
    if (owner == "upstreams.NAME" && (key == "hash" || key == "ip_hash")) {
        return ", servers: [3000], balance: " + key;
    }
    if (owner == "upstreams.NAME" && key != "servers") return ", servers: [3000]";
    if (owner == "upstreams.NAME.hash" && key != "key") return ", key: $uri";
    if (owner == "upstreams.NAME.sticky" && key != "cookie") return ", cookie: srv";
    if (owner == "upstreams.NAME.servers" && key != "address" && key != "srv") {
        return ", address: 3000";
    }
    if ((owner.ends_with(".tls") || owner.ends_with(".certificates")) && key == "certificate") {
        return ", key: '@KEY@'";
    }
    if ((owner.ends_with(".tls") || owner.ends_with(".certificates")) && key == "key") {
        return ", certificate: '@CERT@'";
    }
    if (owner == "hosts.NAME.tls" || owner == "defaults.tls") {
        const std::string authority = key == "client_verify" ? ", client_ca: '@CERT@'" : "";
        const bool pairs = key == "certificates";
        return authority + (pairs ? "" : ", certificate: '@CERT@', key: '@KEY@'");
    }
    if (owner == "listeners.NAME" && key != "address") return ", address: ':1'";
    if (owner == "maps.NAME" && key != "from") return ", from: $uri";
    const bool action = key == "upstream" || key == "split" || key == "return" || key == "redirect";
    if (owner == "hosts.NAME" && !action) return ", upstream: 3000";
    if (owner.ends_with(".mirror") && key != "upstream") return ", upstream: 3001";
    if (owner.ends_with(".cache") && key != "zone") return ", zone: c";
    if (owner.empty() && key != "caches") return ", caches: { c: {} }";
    if (owner.ends_with(".split") && key != "upstreams") return ", upstreams: { 3000: 1 }";
    if (owner.ends_with(".redirect") && key != "to") return ", to: /x";
    if (owner.ends_with(".rewrite")) return key == "to" ? ", match: a" : ", to: /b";
    return "";
}

/// A complete file that gives the key at `path`.
std::string sample(const std::string& path, const std::string& value) {
    const auto parts = split(path);
    std::string text = value;
    for (std::size_t i = parts.size(); i-- > 0;) {
        std::string owner;
        for (std::size_t j = 0; j < i; ++j) owner += (j == 0 ? "" : ".") + parts[j];
        const std::string name = owner == "hosts.NAME.locations" ? "/x/" : "x";
        const std::string key = parts[i] == "NAME" ? name : parts[i];
        text = "{ " + key + ": " + text + company(owner, parts[i]) + " }";
        if (owner.ends_with(".servers") || owner.ends_with(".certificates"))
            text = "[" + text + "]";
    }
    return with_files(text + "\n");
}

std::string last(const std::string& path) {
    return split(path).back();
}

TEST(KeyContract, TheTablesHoldExactlyThePromisedKeys) {
    std::set<std::string> promised, present;
    for (const Promise& promise : all_promises()) promised.insert(promise.path);
    walk(kTopTable, "",
         [&](const std::string& path, const Table&, const Key&) { present.insert(path); });
    EXPECT_EQ(present, promised);
}

TEST(KeyContract, TheParserTakesEveryKey) {
    for (const Promise& promise : all_promises()) {
        const bool built = !promise.value.empty();
        const std::string text = sample(promise.path, built ? promise.value : "{ a: 1 }");
        const LoadResult result = load_text(text);
        if (built) {
            EXPECT_THAT(said(result), testing::IsEmpty()) << text;
        } else {
            ASSERT_EQ(result.diagnostics.size(), 1U) << text;
            EXPECT_EQ(result.diagnostics[0].message,
                      "'" + last(promise.path) + "' is not built yet");
            EXPECT_GT(result.diagnostics[0].column, 0);
        }
    }
}

/// Whether a dumped text has a value at the path of a sample.
bool has_path(const std::string& text, const std::string& path) {
    const Source source("dump", text);
    Report report;
    const auto root = parse_yaml(source, report);
    const Node* node = root ? &*root : nullptr;
    std::string owner;
    for (const std::string& part : split(path)) {
        if (node != nullptr && node->is_list()) node = &node->items.at(0);
        const std::string name = owner == "hosts.NAME.locations" ? "/x/" : "x";
        if (node != nullptr) node = node->find(part == "NAME" ? name : part);
        owner += (owner.empty() ? "" : ".") + part;
    }
    return node != nullptr;
}

TEST(KeyContract, TheDumpShowsEveryKeyInItsPlace) {
    for (const Promise& promise : all_promises()) {
        if (promise.path == "include") continue;
        LoadOptions options;
        options.path = "test.yaml";
        options.text = sample(promise.path, promise.value.empty() ? "{ a: 1 }" : promise.value);
        const std::string text = dump(options);
        EXPECT_TRUE(has_path(text, promise.path)) << promise.path << "\n" << text;
    }
}

/// The section of the reference for a row: what several places share is described once.
std::string section_of(const std::string& path) {
    static const std::map<std::string, std::string> kSections = {
        {"CLIENT", "client"},
        {"LOCATION", "hosts.NAME.locations.NAME"},
        {"ACTION", "defaults"},
        {"LEVEL", "Any level"},
        {"TLS", "defaults.tls"},
        {"LEVEL.access_log", "log.access"},
        {"TIMEOUTS", "upstreams.NAME.timeouts"}};
    const std::size_t dot = path.rfind('.');
    if (dot == std::string::npos) return "Top level";
    std::string owner = path.substr(0, dot);
    if (const auto whole = kSections.find(owner); whole != kSections.end()) return whole->second;
    const std::string head = owner.substr(0, owner.find('.'));
    if (const auto place = kSections.find(head); place != kSections.end()) {
        owner.replace(0, head.size(), place->second);
    }
    return owner;
}

TEST(KeyContract, TheReferenceListsEveryKeyInItsSection) {
    const std::string text = reference_markdown();
    for (const Promise& promise : kPromises) {
        const std::string heading = "\n## " + section_of(promise.path) + "\n";
        const std::size_t start = text.find(heading);
        ASSERT_NE(start, std::string::npos) << heading;
        const std::size_t end = text.find("\n## ", start + heading.size());
        const std::string row = "| `" + last(promise.path) + "` |";
        EXPECT_NE(text.substr(start, end - start).find(row), std::string::npos) << promise.path;
    }
}

TEST(KeyContract, EveryDefaultIsAValueThatTheParserTakes) {
    walk(kTopTable, "", [&](const std::string& path, const Table&, const Key& key) {
        if (key.store == nullptr || key.fallback.empty()) return;
        const std::string text = sample(path, std::string(key.fallback));
        EXPECT_THAT(said(load_text(text)), testing::IsEmpty()) << text;
    });
}

TEST(KeyContract, EveryRowIsDocumented) {
    walk(kTopTable, "", [&](const std::string& path, const Table&, const Key& key) {
        EXPECT_TRUE(key.doc.ends_with('.')) << path;
        EXPECT_LE(key.range.min, key.range.max) << path;
    });
}

TEST(KeyContract, OffIsAcceptedWhereTheThingIsNotBuilt) {
    must_load("listeners: { x: { address: ':1', tls: off, http2: off, proxy_protocol: false } }\n");
    must_load(
        "hosts: { x: { upstream: 3000, cache: off, maintenance: off, redirect_http: Off } }\n");
}

TEST(KeyContract, EveryWordOfBalanceIsTaken) {
    for (const std::string word : {"round_robin", "least_conn", "ip_hash", "random_two"}) {
        must_load("upstreams: { x: { servers: [1], balance: " + word + " } }");
    }
    must_load("upstreams: { x: { servers: [1], balance: hash, hash: $uri } }");
    EXPECT_THAT(
        errors_of("upstreams: { x: { servers: [1], balance: least_con } }"),
        testing::ElementsAre("1:42 unknown balance 'least_con' | did you mean 'least_conn'?"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], balance: consistent } }"),
                testing::ElementsAre("1:42 unknown balance 'consistent' | one of round_robin, "
                                     "least_conn, ip_hash, hash, random_two"));
}

TEST(KeyContract, WhatABalanceGoesByStandsBesideThatBalance) {
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], balance: hash } }"),
                testing::ElementsAre(
                    "1:14 'balance: hash' of 'x' has no key | hash: { key: $request_uri }"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], hash: $uri } }"),
                testing::ElementsAre("1:33 'hash' does nothing without 'balance: hash'"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], hash: { consistent: true } } }"),
                testing::ElementsAre("1:33 'hash' does nothing without 'balance: hash'"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], ip_hash: { ipv4_prefix: 8 } } }"),
                testing::ElementsAre("1:33 'ip_hash' does nothing without 'balance: ip_hash'"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], balance: hash, hash: { key: $uri, "
                          "bounded_load: 0.5 } } }"),
                testing::ElementsAre(testing::StartsWith(
                    "1:81 'bounded_load' must be between 1.01 and 100, not 0.5")));
}

}  // namespace
}  // namespace proxyd::config
