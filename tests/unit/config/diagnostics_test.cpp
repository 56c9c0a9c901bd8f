#include "config/suggest.hpp"
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string only(const LoadResult& result) {
    EXPECT_EQ(result.diagnostics.size(), 1U);
    return result.diagnostics.empty() ? "" : render(result.diagnostics[0]);
}

TEST(Diagnostics, TheFormatOfTheContract) {
    LoadOptions options;
    options.path = "/etc/proxyd/proxyd.yaml";
    options.text =
        "# one\n# two\n# three\nvia: on\nhosts:\n  app.example.com:\n    upsteam: 3000\n";
    EXPECT_EQ(only(load(options)),
              "/etc/proxyd/proxyd.yaml:7:5: error: unknown key 'upsteam' in host "
              "'app.example.com'\n"
              "      upsteam: 3000\n"
              "      ^~~~~~~  did you mean 'upstream'?");
}

TEST(Diagnostics, WithoutAHintTheCaretEndsTheLine) {
    EXPECT_EQ(only(load_text("acme: {}\n")),
              "test.yaml:1:1: error: 'acme' is not built yet\n  acme: {}\n  ^~~~");
}

TEST(Diagnostics, AllErrorsInOneRunSortedByPlace) {
    EXPECT_THAT(
        errors_of("hosts: { a: { upstream: b } }\nclient: { body_timeout: x }\nworker: 1\n"),
        ElementsAre(HasSubstr("1:25 unknown upstream 'b'"), HasSubstr("2:25 'body_timeout'"),
                    HasSubstr("3:1 unknown key 'worker' at the top level")));
}

TEST(Diagnostics, TheCaretStandsUnderWideCharactersToo) {
    EXPECT_EQ(only(load_text("log: { \"\xc3\xa4\": 1 }\nuser: x\n")),
              "test.yaml:1:8: error: unknown key '\xc3\xa4' in 'log'\n"
              "  log: { \"\xc3\xa4\": 1 }\n"
              "         ^~~");
}

TEST(Diagnostics, LongLinesAreCut) {
    const std::string text = "user: \"" + std::string(5'000, 'x') + "\"\nxyz: 1\n";
    EXPECT_LT(only(load_text(text)).size(), 200U);
    const std::string wide = "hosts: { \"" + std::string(3'000, 'y') + "\": { zzz: 1 } }\n";
    for (const Diagnostic& d : load_text(wide).diagnostics) {
        EXPECT_LT(render(d).substr(render(d).find('\n')).size(), 600U);
    }
}

TEST(Diagnostics, AMissingFileIsAnError) {
    const LoadResult result = load_file("/nonexistent/proxyd.yaml");
    EXPECT_EQ(result.snapshot, nullptr);
    EXPECT_EQ(only(result),
              "/nonexistent/proxyd.yaml: error: cannot be read: No such file or directory");
    EXPECT_EQ(load_file("/").snapshot, nullptr);
}

TEST(Diagnostics, ForeignWordsAreTranslated) {
    const auto hint = [](const std::string& place, const std::string& word) {
        const std::string text = place == "top" ? word + ": 1\n"
                                 : place == "host"
                                     ? "hosts: { a: { upstream: 3000, " + word + ": 1 } }\n"
                                     : "upstreams: { a: { servers: [3000], " + word + ": 1 } }\n";
        const LoadResult result = load_text(text);
        return result.diagnostics.empty() ? "" : result.diagnostics[0].hint;
    };
    EXPECT_EQ(hint("host", "proxy_read_timeout"), "proxyd calls this timeouts.read");
    EXPECT_EQ(hint("top", "proxy_read_timeout"), "proxyd calls this timeouts.read");
    EXPECT_EQ(hint("host", "client_max_body_size"), "proxyd calls this max_body_size");
    EXPECT_EQ(hint("host", "limit_req"), "proxyd calls this rate_limit");
    EXPECT_EQ(hint("host", "reverse_proxy"), "proxyd calls this upstream");
    EXPECT_EQ(hint("top", "loadBalancer"), "proxyd calls this upstreams.NAME.servers");
    EXPECT_THAT(hint("host", "http-request"), HasSubstr("proxyd calls this request_headers"));
    EXPECT_THAT(hint("host", "proxy_pass"), HasSubstr("strip_prefix"));
    EXPECT_THAT(hint("host", "server_name"), HasSubstr("proxyd calls this names"));
    EXPECT_THAT(hint("top", "server"), HasSubstr("proxyd calls this hosts"));
    EXPECT_THAT(hint("top", "listen"), HasSubstr("proxyd calls this listeners"));
    EXPECT_EQ(hint("top", "worker_processes"), "proxyd calls this workers");
    EXPECT_EQ(hint("top", "entryPoints"), "proxyd calls this listeners");
    EXPECT_EQ(hint("top", "frontend"), "proxyd calls this listeners and hosts");
    EXPECT_EQ(hint("up", "server"), "did you mean 'servers'?");
    EXPECT_THAT(hint("host", "keepalive"), HasSubstr("'upstreams.NAME.keepalive'"));
    EXPECT_EQ(hint("host", "qqqqqqqqqq"), "");
}

/// What operators of other proxies write, and the key that answers it here.
TEST(Diagnostics, EveryForeignWordNamesTheKeyOfItsEquivalent) {
    const std::pair<const char*, const char*> rows[] = {
        // nginx
        {"server", "hosts"},
        {"server_name", "names"},
        {"listen", "listeners"},
        {"location", "locations"},
        {"proxy_pass", "upstream"},
        {"worker_processes", "workers"},
        {"pid", "pid_file"},
        {"alias", "root"},
        {"proxy_connect_timeout", "timeouts.connect"},
        {"proxy_send_timeout", "timeouts.send"},
        {"proxy_read_timeout", "timeouts.read"},
        {"proxy_set_header", "request_headers.set"},
        {"proxy_hide_header", "response_headers.remove"},
        {"add_header", "response_headers.add"},
        {"proxy_buffering", "buffering"},
        {"proxy_request_buffering", "request_buffering"},
        {"proxy_buffer_size", "buffers.header"},
        {"proxy_buffers", "buffers.response"},
        {"client_body_buffer_size", "buffers.request"},
        {"client_max_body_size", "max_body_size"},
        {"client_header_timeout", "client.header_timeout"},
        {"client_body_timeout", "client.body_timeout"},
        {"large_client_header_buffers", "client.max_header_size"},
        {"proxy_next_upstream", "upstreams.NAME.retry.on"},
        {"proxy_next_upstream_tries", "upstreams.NAME.retry.attempts"},
        {"proxy_cache", "cache"},
        {"proxy_cache_path", "caches"},
        {"proxy_cache_valid", "cache.valid"},
        {"proxy_cache_key", "cache.key"},
        {"limit_req", "rate_limit"},
        {"limit_req_zone", "rate_limits"},
        {"limit_conn", "connection_limit"},
        {"limit_conn_zone", "connection_limits"},
        {"ssl_certificate", "tls.certificate"},
        {"ssl_certificate_key", "tls.key"},
        {"ssl_protocols", "tls.protocols"},
        {"ssl_ciphers", "tls.ciphers"},
        {"error_page", "error_pages"},
        {"error_log", "log.error"},
        {"access_log", "log.access"},
        {"log_format", "log.formats"},
        {"auth_basic", "basic_auth"},
        {"auth_basic_user_file", "basic_auth.users_file"},
        {"allow", "access"},
        {"deny", "access"},
        {"gzip", "compress"},
        {"least_conn", "upstreams.NAME.balance"},
        {"set_real_ip_from", "trusted_proxies"},
        {"map", "maps"},
        {"split_clients", "split"},
        {"limit_except", "methods"},
        {"server_tokens", "server_header"},
        {"stub_status", "admin.status"},
        // HAProxy
        {"frontend", "listeners"},
        {"backend", "upstreams"},
        {"bind", "listeners"},
        {"use_backend", "upstream"},
        {"default_backend", "upstream"},
        {"maxconn", "max_connections"},
        {"nbthread", "workers"},
        {"acl", "locations"},
        {"http-request", "request_headers"},
        {"http-response", "response_headers"},
        {"http-check", "upstreams.NAME.health_check"},
        {"stick-table", "rate_limits"},
        {"errorfile", "error_pages"},
        {"option forwardfor", ""},
        {"option httpchk", "upstreams.NAME.health_check"},
        {"timeout client", "client.body_timeout"},
        {"timeout server", "timeouts.read"},
        {"timeout connect", "timeouts.connect"},
        {"timeout tunnel", "timeouts.upgraded"},
        {"cookie", "upstreams.NAME.sticky"},
        {"stats", "admin.status"},
        // Caddy
        {"reverse_proxy", "upstream"},
        {"handle", "locations"},
        {"handle_path", "locations"},
        {"redir", "redirect"},
        {"respond", "return"},
        {"file_server", "root"},
        {"encode", "compress"},
        {"header_up", "request_headers"},
        {"header_down", "response_headers"},
        {"forward_auth", "auth_request"},
        {"request_body", "max_body_size"},
        {"lb_policy", "upstreams.NAME.balance"},
        {"health_uri", "upstreams.NAME.health_check"},
        {"dial_timeout", "timeouts.connect"},
        {"import", "include"},
        // Traefik
        {"entryPoints", "listeners"},
        {"routers", "hosts"},
        {"services", "upstreams"},
        {"loadBalancer", "upstreams.NAME.servers"},
        {"rule", "hosts"},
        {"stripPrefix", "strip_prefix"},
        {"redirectScheme", "redirect_http"},
        {"rateLimit", "rate_limit"},
        {"ipAllowList", "access"},
        {"forwardAuth", "auth_request"},
        {"healthCheck", "upstreams.NAME.health_check"},
        {"certificatesResolvers", "acme"},
        {"customRequestHeaders", "request_headers.set"},
        {"mirroring", "mirror"},
        {"weighted", "split"},
        {"accessLog", "log.access"},
    };
    EXPECT_GE(std::size(rows), 80U);
    for (const auto& [word, key] : rows) {
        const std::string hint = foreign_hint(word);
        if (*key == '\0') {
            EXPECT_THAT(hint, HasSubstr("not needed")) << word;
        } else {
            EXPECT_TRUE(hint.starts_with("proxyd calls this " + std::string(key)))
                << word << ": " << hint;
        }
    }
}

TEST(Diagnostics, SuggestionsComeFromTheKeysOfThatPlace) {
    EXPECT_THAT(errors_of("upstreams: { a: { servers: [3000], kepalive: 3 } }\n"),
                ElementsAre(HasSubstr("did you mean 'keepalive'?")));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 3000, timeouts: { conect: 3s } } }\n"),
                ElementsAre(HasSubstr("did you mean 'connect'?")));
    EXPECT_THAT(errors_of("upstreams: { backend: 3000 }\nhosts: { a: bakcend }\n"),
                ElementsAre(HasSubstr("did you mean 'backend'?")));
    EXPECT_THAT(
        errors_of("hosts: { a: { upstream: 3000, request_headers: { set: { A: $hots } } } }"),
        ElementsAre(HasSubstr("1:60 unknown variable '$hots' | did you mean '$host'?")));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 3000, response_headers: { X-A: b } } }"),
                ElementsAre(HasSubstr("set, add or remove: set: { X-A: ... }")));
}

TEST(Diagnostics, NamesThatDoNotResolveAreWarnings) {
    std::vector<AskedName> asked;
    LoadOptions options;
    options.path = "test.yaml";
    options.text =
        "upstreams:\n  a: { servers: [\"good.test:1\", { address: \"bad.test:2\" }, "
        "{ srv: _http._tcp.Good.test }] }\n"
        "hosts:\n  a.test: \"http://bad.test\"\n  b.test: 127.0.0.1:3000\n"
        "resolver: { servers: 10.0.0.2 }\n";
    options.check_names = [&](const std::vector<AskedName>& names, const Resolver& resolver) {
        asked = names;
        EXPECT_THAT(resolver.servers, ElementsAre("10.0.0.2:53"));
        std::vector<std::string> problems;
        for (const auto& each : names) problems.push_back(each.name == "bad.test" ? "no" : "");
        return problems;
    };
    const LoadResult result = load(options);
    EXPECT_NE(result.snapshot, nullptr);
    EXPECT_THAT(asked, ElementsAre(AskedName{"_http._tcp.good.test", true}, AskedName{"bad.test"},
                                   AskedName{"good.test"}));
    const std::string words =
        "'bad.test' cannot be resolved: no | its server is down until the name resolves";
    EXPECT_THAT(said(result), ElementsAre("2:44 " + words, "4:11 " + words));
    for (const Diagnostic& d : result.diagnostics) {
        EXPECT_EQ(d.severity, Diagnostic::Severity::warning);
    }
}

TEST(Diagnostics, WrongTypesSayWhatIsWanted) {
    const auto say = [](const std::string& text) {
        const auto lines = errors_of(text);
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    };
    EXPECT_EQ(say("via: 3\n"), "1:6 'via' wants on or off, not '3'");
    EXPECT_EQ(say("via: [on]\n"), "1:6 'via' wants on or off, not a list");
    EXPECT_EQ(say("workers: { a: 1 }\n"), "1:10 'workers' wants a number, not a map");
    EXPECT_EQ(say("workers: many\n"), "1:10 'workers' wants a number or auto, not 'many'");
    EXPECT_EQ(say("workers: 0\n"), "1:10 'workers' must be between 1 and 1024, not 0");
    EXPECT_EQ(say("shutdown_timeout: 30\n"),
              "1:19 'shutdown_timeout' wants a duration such as 500ms, 60s or 1h, not '30' | a "
              "duration needs a unit: 30s");
    EXPECT_EQ(say("client: { max_header_size: 1kb }\n"),
              "1:28 'max_header_size' wants a size such as 64k or 10m, not '1kb'");
    EXPECT_EQ(say("user:\n"), "1:1 'user' wants a text, not nothing");
    EXPECT_EQ(say("client: 5s\n"), "1:9 client wants a map of keys, not '5s'");
    EXPECT_EQ(say("client: { max_header_size: 1g }\n"),
              "1:28 'max_header_size' must be between 1k and 16m, not 1g");
    EXPECT_EQ(say("hosts: [a]\n"),
              "1:8 'hosts' wants a map of names, not a list | hosts: { app.example.com: 3000 }");
    EXPECT_EQ(say("version: 2\n"),
              "1:10 'version' wants 1, not '2' | it is the only version of this format");
}

}  // namespace
}  // namespace proxyd::config
