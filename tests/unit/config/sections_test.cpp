#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Sections, TopLevel) {
    const auto snapshot = must_load(
        "version: 1\nworkers: 3\nuser: www\ngroup: web\npid_file: /run/p.pid\ncontrol: off\n"
        "shutdown_timeout: 5s\nvia: off\n"
        "server_header: hidden\ntrusted_proxies: [10.0.0.0/8, \"::1\"]\nreal_ip_header: "
        "X-Real-IP\n");
    EXPECT_EQ(snapshot->workers, 3U);
    EXPECT_EQ(snapshot->user, "www");
    EXPECT_EQ(snapshot->group, "web");
    EXPECT_EQ(snapshot->pid_file, "/run/p.pid");
    EXPECT_EQ(snapshot->control, "");
    EXPECT_EQ(snapshot->shutdown_timeout, Duration(5'000));
    EXPECT_FALSE(snapshot->via);
    EXPECT_EQ(snapshot->server_header, Snapshot::ServerHeader::text);
    EXPECT_EQ(snapshot->server_header_text, "hidden");
    EXPECT_EQ(snapshot->trusted_proxies.size(), 2U);
    EXPECT_EQ(snapshot->real_ip_header, "X-Real-IP");
    EXPECT_THAT(errors_of("trusted_proxies: [10.0.0.0/33]"),
                ElementsAre(HasSubstr("'10.0.0.0/33' is not an address or a network")));
}

TEST(Sections, TopLevelValuesThatAreRefused) {
    EXPECT_THAT(errors_of("server_header: \"a\\r\\nX: b\""),
                ElementsAre(HasSubstr("'server_header' has a control character")));
    EXPECT_THAT(errors_of("server_header: on"),
                ElementsAre("1:16 'server_header' wants pass, off or a text, not 'on'"));
    EXPECT_THAT(errors_of("real_ip_header: \"X(Y)\""),
                ElementsAre(HasSubstr("'X(Y)' is not a field name")));
}

TEST(Sections, Listeners) {
    const auto snapshot = must_load(
        "client: { body_timeout: 7s, max_headers: 50 }\n"
        "listeners:\n"
        "  a: \":80\"\n  b: \"127.0.0.1:8080\"\n  c: \"[::1]:81\"\n  d: \"unix:/run/x.sock\"\n"
        "  e: { address: \"0.0.0.0:82\", backlog: 9, body_timeout: 1s }\n  f: 83\n");
    const auto& l = snapshot->listeners;
    ASSERT_EQ(l.size(), 6U);
    EXPECT_TRUE(l[0].address.any);
    EXPECT_EQ(l[0].address.text, ":80");
    EXPECT_EQ(l[1].address.text, "127.0.0.1:8080");
    EXPECT_TRUE(l[2].address.ip.is_v6());
    EXPECT_EQ(l[3].address.kind, Address::Kind::unix_socket);
    EXPECT_EQ(l[3].address.name, "/run/x.sock");
    EXPECT_EQ(l[4].backlog, 9);
    EXPECT_EQ(l[4].client.body_timeout, Duration(1'000));
    EXPECT_EQ(l[4].client.max_headers, 50U);
    EXPECT_EQ(l[0].client.body_timeout, Duration(7'000));
    EXPECT_EQ(l[5].address.text, ":83");
}

TEST(Sections, ListenersThatAreRefused) {
    EXPECT_THAT(errors_of("listeners: { a: \":80\", b: \":80\" }"),
                ElementsAre(HasSubstr("takes the address of listener 'a'")));
    EXPECT_THAT(errors_of("listeners: { a: \":80\", b: \"127.0.0.1:80\" }"),
                ElementsAre(HasSubstr("takes the address of listener 'a'")));
    EXPECT_THAT(errors_of("listeners: { a: \"0.0.0.0:80\", b: \"10.0.0.1:80\" }"),
                ElementsAre(HasSubstr("takes the address")));
    EXPECT_THAT(errors_of("listeners: { a: \"unix:/x\", b: \"unix:/x\" }"),
                ElementsAre(HasSubstr("takes the address")));
    EXPECT_THAT(errors_of("listeners: { a: \"localhost:80\" }"),
                ElementsAre(HasSubstr("wants an IP address, not the name 'localhost'")));
    EXPECT_THAT(errors_of("listeners: { a: {} }"), ElementsAre(HasSubstr("has no address")));
    EXPECT_THAT(errors_of("listeners: { a: \"127.0.0.1\" }"),
                ElementsAre(HasSubstr("has no port")));
    EXPECT_THAT(errors_of("listeners: { a: \":99999\" }"), ElementsAre(HasSubstr("no valid port")));
    must_load("listeners: { a: \"0.0.0.0:80\", b: \"[::1]:80\", c: \":0\", d: \":0\" }\n");
}

TEST(Sections, Upstreams) {
    const auto snapshot = must_load(
        "upstreams:\n"
        "  a: 3000\n  b: [3001, \"h:1\"]\n"
        "  c:\n"
        "    servers: [{ address: 3002, weight: 3, max_fails: 0, fail_timeout: 1s },\n"
        "              { address: \"unix:/x\", backup: true }, { address: 5, down: true }]\n"
        "    keepalive: 0\n    keepalive_timeout: 5s\n    keepalive_requests: 7\n"
        "    retry: { on: [error, http_503], attempts: 0, timeout: 2s, non_idempotent: true }\n"
        "    timeouts: { connect: 1s }\n"
        "  d: { servers: 4, retry: off }\n");
    EXPECT_EQ(snapshot->upstreams.at("b")->servers.size(), 2U);
    EXPECT_FALSE(snapshot->upstreams.at("a")->implicit);
    const Upstream& c = *snapshot->upstreams.at("c");
    EXPECT_EQ(c.servers[0].weight, 3U);
    EXPECT_EQ(c.servers[0].max_fails, 0U);
    EXPECT_TRUE(c.servers[1].backup);
    EXPECT_TRUE(c.servers[2].down);
    EXPECT_EQ(c.servers[2].weight, 1U);
    EXPECT_EQ(c.keepalive, 0U);
    EXPECT_EQ(c.keepalive_requests, 7U);
    EXPECT_TRUE(c.retry.has(RetryOn::error));
    EXPECT_TRUE(c.retry.has(RetryOn::http_503));
    EXPECT_FALSE(c.retry.has(RetryOn::timeout));
    EXPECT_EQ(c.retry.attempts, 0U);
    EXPECT_TRUE(c.retry.non_idempotent);
    EXPECT_EQ(c.timeouts.connect, Duration(1'000));
    EXPECT_EQ(c.origin.line, 4);
    EXPECT_EQ(snapshot->upstreams.at("d")->retry.attempts, 1U);
    EXPECT_TRUE(snapshot->upstreams.at("a")->retry.has(RetryOn::timeout));
}

TEST(Sections, UpstreamsThatAreRefused) {
    EXPECT_THAT(errors_of("upstreams: { a: {} }"), ElementsAre(HasSubstr("has no servers")));
    EXPECT_THAT(errors_of("upstreams: { a: { servers: [{ address: 1, down: on }] } }"),
                ElementsAre(HasSubstr("no usable server")));
    EXPECT_THAT(errors_of("upstreams: { a: { servers: [{ address: 1, weight: 0 }] } }"),
                ElementsAre(HasSubstr("'weight' must be between 1 and 65535, not 0")));
    EXPECT_THAT(errors_of("upstreams: { a: { servers: [{ weight: 1 }] } }"),
                ElementsAre(HasSubstr("has no address")));
    EXPECT_THAT(errors_of("upstreams: { a: \"http://h:1/x\" }"),
                ElementsAre(HasSubstr("strip_prefix")));
    EXPECT_THAT(errors_of("upstreams: { 3000: 3001 }"),
                ElementsAre(HasSubstr("read as an address")));
    EXPECT_THAT(
        errors_of("upstreams: { a: { servers: 1, retry: { on: [http_50] } } }"),
        ElementsAre(HasSubstr("unknown word 'http_50' in 'on' | did you mean 'http_500'?")));
}

TEST(Sections, Maps) {
    const auto snapshot = must_load(
        "maps:\n  tier: { from: $http_x_key, default: free, values: { s1: gold, \"p*\": b, "
        "\"*.c\": d, '~^x': e, '~*y$': \"$host\" } }\n"
        "hosts: { h: { upstream: 1, request_headers: { set: { X-T: $tier } } } }\n");
    ASSERT_EQ(snapshot->maps.size(), 1U);
    const Map& map = snapshot->maps[0];
    using Kind = Map::Value::Kind;
    ASSERT_EQ(map.values.size(), 5U);
    const std::pair<Kind, const char*> wanted[] = {{Kind::exact, "s1"},
                                                   {Kind::prefix, "p"},
                                                   {Kind::suffix, ".c"},
                                                   {Kind::regex, "^x"},
                                                   {Kind::regex, "y$"}};
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(map.values[i].kind, wanted[i].first);
        EXPECT_EQ(map.values[i].pattern, wanted[i].second);
    }
    EXPECT_TRUE(map.values[3].case_sensitive_regex);
    EXPECT_FALSE(map.values[4].case_sensitive_regex);
    EXPECT_EQ(map.default_value.source(), "free");
}

TEST(Sections, MapsThatAreRefused) {
    EXPECT_THAT(errors_of("maps: { a: { from: $b }, b: { from: $a } }"),
                ElementsAre(HasSubstr("map 'a' needs its own value"), HasSubstr("map 'b'")));
    EXPECT_THAT(errors_of("maps: { a: { from: $uri, default: $a } }"),
                ElementsAre(HasSubstr("needs its own value")));
    EXPECT_THAT(errors_of("maps: { host: { from: $uri } }"),
                ElementsAre(HasSubstr("'$host' is a variable of proxyd itself")));
    EXPECT_THAT(errors_of("maps: { \"a-b\": { from: $uri } }"),
                ElementsAre(HasSubstr("cannot be the name of a variable")));
    EXPECT_THAT(errors_of("maps: { a: { values: {} } }"), ElementsAre(HasSubstr("no 'from'")));
    EXPECT_THAT(errors_of("maps: { a: { from: $uri, values: { '~(': 1 } } }"),
                ElementsAre(HasSubstr("missing )")));
}

TEST(Sections, Logs) {
    const auto snapshot = must_load(
        "log:\n  error: { level: debug }\n  access: { path: logs/a.log, format: mine, flush: 2s }\n"
        "  formats: { mine: '$remote_addr $status' }\n");
    EXPECT_EQ(snapshot->error_log.path, "stderr");
    EXPECT_EQ(snapshot->error_log.level, "debug");
    EXPECT_EQ(snapshot->access_log->path, "logs/a.log");
    EXPECT_EQ(snapshot->access_log->format, AccessLog::Format::custom);
    EXPECT_EQ(snapshot->access_log->custom.source(), "$remote_addr $status");
    EXPECT_EQ(snapshot->access_log->buffer, 64U << 10);
    EXPECT_EQ(snapshot->access_log->flush, Duration(2'000));
    EXPECT_EQ(must_load("log: { access: off }")->access_log, nullptr);
    EXPECT_EQ(must_load("log: { access: stdout }")->access_log->path, "stdout");
    EXPECT_EQ(must_load("log: { access: { format: '$uri' } }")->access_log->path,
              "/var/log/proxyd/access.log");
    EXPECT_EQ(must_load("log: { error: syslog }")->error_log.path, "syslog");
}

TEST(Sections, LogsThatAreRefused) {
    EXPECT_THAT(errors_of("log: { access: { format: combind } }"),
                ElementsAre(HasSubstr("unknown format 'combind' | did you mean 'combined'?")));
    EXPECT_THAT(errors_of("log: { error: { level: warning } }"),
                ElementsAre(HasSubstr("unknown level 'warning' | did you mean 'warn'?")));
    EXPECT_THAT(errors_of("log: { error: off }"),
                ElementsAre("1:15 'path' wants stderr, syslog or a file, not 'off' | level: off"));
    EXPECT_THAT(errors_of("log: { access: syslog }"),
                ElementsAre("1:16 'path' wants a file, stdout, stderr or off, not 'syslog' | only "
                            "the error log goes to syslog"));
    EXPECT_THAT(errors_of("log: { formats: { json: $uri } }"),
                ElementsAre(HasSubstr("'json' is a format of proxyd itself")));
    EXPECT_THAT(
        errors_of("log: { formats: { a: $statsu } }"),
        ElementsAre(HasSubstr("1:22 unknown variable '$statsu' | did you mean '$status'?")));
}

}  // namespace
}  // namespace proxyd::config
