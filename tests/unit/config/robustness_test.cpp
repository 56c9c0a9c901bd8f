#include <sys/resource.h>

#include <chrono>
#include <random>

#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

const std::string kCorpus = R"(# a file with a bit of everything
workers: 2
client: &limits { header_timeout: 5s, max_header_size: 16k }
listeners: { http: ":8080", u: { address: "unix:/tmp/x.sock", backlog: 10, body_timeout: 3s } }
trusted_proxies: [10.0.0.0/8, "::1"]
log:
  access: { path: /tmp/a.log, format: mine }
  formats: { mine: '$remote_addr "$request" $tier' }
maps:
  tier: { from: $http_x_api_key, values: { "secret-1": gold, '~^s-': silver }, default: free }
upstreams:
  app: 3000
  b: ["127.0.0.1:3001", { address: "h.internal:3002", weight: 3, backup: true }]
defaults: { security_headers: true, timeouts: { read: 20s } }
hosts:
  app.example.com:
    names: [www.example.com, "*.apps.example.com", '~^v\d+\.example\.com$']
    upstream: ${APP:-app}
    response_headers: { set: { A: "b $host" }, remove: [Server] }
    locations:
      /: {}
      /api/: { upstream: b, strip_prefix: true }
      = /health: { return: { status: 200, body: "ok\n" } }
      '~* \.(png|jpg)$': { rewrite: { match: '^/i/(.*)$', to: '/images/$1' } }
      /old/: { redirect: "https://new.example.com$request_uri" }
  "*": 3000
)";

std::string mutate(std::string text, std::mt19937& random) {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    const std::string_view marks = "{}[]:,&*#?|-<>=!%@'\"\\$~\n \t\0\xff";
    for (std::size_t edits = 1 + below(4); edits > 0 && text.size() > 10; --edits) {
        const std::size_t at = below(text.size());
        switch (below(6)) {
            case 0:
                text[at] = marks[below(marks.size())];
                break;
            case 1:
                text.insert(at, 1, marks[below(marks.size())]);
                break;
            case 2:
                text.erase(at, 1 + below(20));
                break;
            case 3:
                text.insert(at, text.substr(below(text.size()), below(60)));
                break;
            case 4:
                text.resize(at);
                break;
            default:
                text[at] = static_cast<char>(below(256));
                break;
        }
    }
    return text;
}

TEST(Robustness, TheCorpusItselfLoads) {
    must_load(kCorpus);
}

TEST(Robustness, AThousandMutationsNeitherCrashNorHang) {
    std::mt19937 random(20'240'101);  // NOLINT: the same texts in every run
    int refused = 0;
    for (int i = 0; i < 1'000; ++i) {
        const std::string text = mutate(kCorpus, random);
        LoadOptions options;
        options.path = "test.yaml";
        options.text = text;
        const LoadResult result = load(options);
        bool has_error = false;
        for (const Diagnostic& d : result.diagnostics) {
            has_error = has_error || d.severity == Diagnostic::Severity::error;
            EXPECT_FALSE(render(d).empty());
            EXPECT_FALSE(d.file.empty());
        }
        EXPECT_EQ(result.snapshot == nullptr, has_error) << text;
        EXPECT_FALSE(dump(options).empty());
        refused += has_error ? 1 : 0;
    }
    EXPECT_GT(refused, 500);
}

std::string many_hosts(int hosts) {
    std::string text = "upstreams: { app: 3000 }\nhosts:\n";
    for (int i = 0; i < hosts; ++i) {
        text += "  h" + std::to_string(i) + ".example.com:\n    upstream: app\n    locations:\n";
        for (int j = 0; j < 10; ++j) text += "      /p" + std::to_string(j) + "/: {}\n";
    }
    return text;
}

TEST(Robustness, TenThousandHostsWithTenLocations) {
    const std::string text = many_hosts(10'000);
    const auto start = std::chrono::steady_clock::now();
    const auto snapshot = must_load(text);
    const auto took = std::chrono::steady_clock::now() - start;
    ASSERT_EQ(snapshot->hosts.size(), 10'000U);
    EXPECT_EQ(snapshot->hosts[9'999].locations.size(), 10U);
    EXPECT_EQ(snapshot->hosts[9'999].locations[9].policy, snapshot->default_policy);
    // About a second when optimised; sanitizers and a busy machine get more.
    EXPECT_LT(took, std::chrono::seconds(40));
}

TEST(Robustness, ManyErrorsStayCheap) {
    std::string text = "hosts:\n";
    for (int i = 0; i < 2'000; ++i) text += "  h" + std::to_string(i) + ": { upsteam: 1 }\n";
    EXPECT_EQ(load_text(text).diagnostics.size(), 2'000U);
}

}  // namespace
}  // namespace proxyd::config
