#include <fstream>
#include <sstream>

#include "config/yaml_writer.hpp"
#include "support/certificates.hpp"
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string dump_text(const std::string& text) {
    LoadOptions options;
    options.path = "test.yaml";
    options.text = text;
    return dump(options);
}

std::string file_text(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return std::move(content).str();
}

/// Where https.yaml looks for its files.
void make_example_certificates() {
    static const Directory tls;
    static const test::Pair pair = test::Authority("test").issue(
        {.names = {"app.example.com", "www.example.com"}, .addresses = {}});
    tls.write("fullchain.pem", pair.certificate);
    tls.write("privkey.pem", pair.key);
    ::setenv("TLS_DIR", tls.path("").c_str(), 1);
}

std::vector<std::string> shipped_files() {
    make_example_certificates();
    const std::filesystem::path root = std::filesystem::path(PROXYD_SOURCE_DIR) / "config";
    std::vector<std::string> files{(root / "proxyd.yaml").string()};
    for (const auto& entry : std::filesystem::directory_iterator(root / "examples")) {
        if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    }
    return files;
}

TEST(Dump, SaysWhereEveryValueComesFrom) {
    const std::string text = dump_text("workers: 2\nclient: { max_header_size: 65536 }\n");
    EXPECT_TRUE(text.starts_with("# configuration file test.yaml\n"));
    EXPECT_THAT(text, HasSubstr("\nworkers: 2  # test.yaml:1\n"));
    EXPECT_THAT(text, HasSubstr("\n  max_header_size: 64k  # test.yaml:2\n"));
    EXPECT_THAT(text, HasSubstr("\n  body_timeout: 60s  # default\n"));
    EXPECT_THAT(text, HasSubstr("\nvia: on  # default\n"));
    EXPECT_THAT(text, Not(HasSubstr("include")));
}

TEST(Dump, ReadsBackAsTheSameConfiguration) {
    for (const std::string& file : shipped_files()) {
        LoadOptions options;
        options.path = file;
        const std::string first = dump(options);
        const LoadResult again = load_text(first);
        EXPECT_NE(again.snapshot, nullptr) << file << "\n" << first;
        EXPECT_TRUE(without_comments(dump_text(first)) == without_comments(first)) << file;
        const auto original = load(options).snapshot;
        ASSERT_NE(original, nullptr);
        if (again.snapshot == nullptr) continue;
        EXPECT_EQ(again.snapshot->hosts.size(), original->hosts.size());
        EXPECT_EQ(again.snapshot->listeners.size(), original->listeners.size());
        EXPECT_EQ(again.snapshot->access_log == nullptr, original->access_log == nullptr);
    }
}

TEST(Dump, WritesOneSpellingOfEveryValue) {
    const std::string text = dump_text(
        "via: TRUE\nlisteners: { a: 80, b: \"*:81\" }\n"
        "client: { body_timeout: 120000ms, max_header_size: 8192 }\n"
        "trusted_proxies: 10.0.0.0/8\nlog: { access: FALSE }\n"
        "upstreams: { named: App.Internal:1, two: { servers: [3002, \"http://h\"] } }\n"
        "defaults: { max_body_size: False, access_log: False }\n"
        "hosts: { a: 3001, b: \"http://127.0.0.1:4000\", c: named,\n"
        "  d: { methods: GET, locations: { /: 5000 } } }\n");
    for (const char* line :
         {"address: ':80'", "address: ':81'", "body_timeout: 2m", "max_header_size: 8k",
          "access: off", "trusted_proxies: [10.0.0.0/8]", "methods: [GET]",
          "address: app.internal:1", "address: 127.0.0.1:3002", "address: h:80",
          "max_body_size: off", "access_log: off", "upstream: 127.0.0.1:3001",
          "upstream: 127.0.0.1:4000", "upstream: named", "upstream: 127.0.0.1:5000"}) {
        EXPECT_THAT(text, HasSubstr(std::string(line) + "  #"));
    }
    EXPECT_TRUE(without_comments(dump_text(text)) == without_comments(text));
}

TEST(Dump, DoesNotTurnInheritedValuesIntoGivenOnes) {
    const std::string text = dump_text(
        "client: { body_timeout: 5s }\nlisteners: { a: ':1' }\n"
        "upstreams: { u: { servers: 1, timeouts: { read: 7s } } }\nhosts: { h: u }\n");
    const auto snapshot = must_load(text);
    EXPECT_EQ(snapshot->listeners[0].client.body_timeout, Duration(5'000));
    EXPECT_FALSE(snapshot->default_policy->timeouts.read.has_value());
    EXPECT_EQ(snapshot->upstreams.at("u")->timeouts.read, Duration(7'000));
    EXPECT_EQ(snapshot->hosts[0].locations[0].policy->access_log, nullptr);
}

TEST(Dump, MergesIncludesAndOverrides) {
    const Directory d;
    d.write("conf.d/a.yaml", "hosts: { a: 3000 }\n");
    LoadOptions options;
    options.path = d.write("p.yaml", "include: conf.d/*.yaml\n");
    options.overrides = {"workers: 3"};
    const std::string text = dump(options);
    EXPECT_THAT(text, HasSubstr("workers: 3  # -g:1\n"));
    EXPECT_THAT(text, HasSubstr("upstream: 127.0.0.1:3000  # " + d.path("conf.d/a.yaml") + ":1\n"));
}

TEST(Dump, ScalarsKeepTheirText) {
    for (const std::string text :
         {"",         "plain", "null",     "~",   "a: b",     "#x",  "it's", "\"q\"", "*.x.com",
          "~^v\\d+$", "a\nb",  "\x01\x7f", ":80", "[::1]:80", "- a", "-",    "{a}",   "a,b",
          "= /x",     "$uri",  "%x",       "@x",  "!x",       "&x",  "|",    ">",     "?",
          "a:",       " a ",   "\t",       "\\",  "\xc3\xa4", "---", "...",  "on"}) {
        const Source source("s", "k: " + yaml_scalar(text) + "\nl: [" + yaml_scalar(text) + "]\n" +
                                     yaml_scalar(text + "zz") + ": 1\n");
        Report report;
        const auto node = parse_yaml(source, report);
        // Control characters stand escaped, so the text itself has none.
        ASSERT_TRUE(node) << source.text;
        ASSERT_EQ(node->items.size(), 3U) << source.text;
        EXPECT_EQ(node->items[0].text, text) << source.text;
        EXPECT_TRUE(node->items[0].is_scalar()) << source.text;
        EXPECT_EQ(node->items[1].items.at(0).text, text) << source.text;
        EXPECT_EQ(node->items[2].key, text + "zz") << source.text;
    }
}

TEST(ConfigExamples, EveryShippedFileLoads) {
    EXPECT_GE(shipped_files().size(), 8U);
    for (const std::string& file : shipped_files()) {
        const LoadResult result = load_file(file);
        for (const Diagnostic& d : result.diagnostics) ADD_FAILURE() << render(d);
        EXPECT_NE(result.snapshot, nullptr) << file;
    }
}

TEST(ConfigReference, TheCommittedFileIsWhatTheTablesSay) {
    const std::string path = PROXYD_SOURCE_DIR "/docs/reference/keys.md";
    if (std::getenv("PROXYD_REGENERATE") != nullptr) std::ofstream(path) << reference_markdown();
    EXPECT_EQ(file_text(path), reference_markdown())
        << "docs/reference/keys.md is stale; write it again with\n"
           "  PROXYD_REGENERATE=1 ctest --preset dev -R ConfigReference";
}

}  // namespace
}  // namespace proxyd::config
