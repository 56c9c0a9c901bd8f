#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> show(const std::vector<HeaderRule>& rules) {
    std::vector<std::string> result;
    for (const HeaderRule& rule : rules) {
        const char* sign[] = {"set", "add", "remove", "absent"};
        std::string line = std::string(sign[static_cast<int>(rule.op)]) + " " + rule.name;
        if (!rule.value.empty()) line += "=" + rule.value.source();
        result.push_back(std::move(line));
    }
    return result;
}

TEST(Levels, BuiltInValues) {
    const auto snapshot = must_load("workers: 1\n");
    const Policy& policy = *snapshot->default_policy;
    EXPECT_EQ(policy.max_body_size, UINT64_MAX);
    EXPECT_TRUE(policy.request_buffering);
    EXPECT_TRUE(policy.buffering);
    EXPECT_EQ(policy.buffer_request, 128U << 10);
    EXPECT_EQ(policy.buffer_response, 256U << 10);
    EXPECT_EQ(policy.buffer_header, 64U << 10);
    EXPECT_TRUE(policy.websocket);
    EXPECT_FALSE(policy.security_headers);
    EXPECT_FALSE(policy.timeouts.read.has_value());
    EXPECT_EQ(policy.access_log, nullptr);
    EXPECT_EQ(policy.path, Policy::Path::raw);
}

TEST(Levels, TheInnerLevelWinsKeyByKey) {
    const auto snapshot = must_load(
        "defaults: { timeouts: { read: 1s, send: 2s }, buffering: off, max_body_size: 1m }\n"
        "hosts:\n"
        "  h:\n"
        "    upstream: 1\n"
        "    timeouts: { read: 3s }\n"
        "    locations: { /: {}, /a: { timeouts: { send: 4s }, buffering: on }, "
        "/b: { max_body_size: off } }\n");
    const auto& l = snapshot->hosts[0].locations;
    EXPECT_EQ(l[0].policy->timeouts.read, Duration(3'000));
    EXPECT_EQ(l[0].policy->timeouts.send, Duration(2'000));
    EXPECT_FALSE(l[0].policy->buffering);
    EXPECT_EQ(l[1].policy->timeouts.read, Duration(3'000));
    EXPECT_EQ(l[1].policy->timeouts.send, Duration(4'000));
    EXPECT_TRUE(l[1].policy->buffering);
    EXPECT_EQ(l[1].policy->max_body_size, 1U << 20);
    EXPECT_EQ(l[2].policy->max_body_size, UINT64_MAX);
}

TEST(Levels, WhoAddsNothingSharesTheOuterObject) {
    const auto snapshot = must_load(
        "hosts: { a: 1, b: { upstream: 1, websocket: off, locations: { /: {}, /x: 2, "
        "/y: { strip_prefix: on }, /z: { websocket: on } } } }\n");
    EXPECT_EQ(snapshot->hosts[0].locations[0].policy, snapshot->default_policy);
    const auto& l = snapshot->hosts[1].locations;
    EXPECT_NE(l[0].policy, snapshot->default_policy);
    EXPECT_EQ(l[0].policy, l[1].policy);
    EXPECT_EQ(l[0].policy, l[2].policy);
    EXPECT_NE(l[0].policy, l[3].policy);
}

TEST(Levels, TimeoutsFallBackToTheUpstreamAndTheBuiltIn) {
    Timeouts location, upstream;
    location.read = Duration(1);
    upstream.read = Duration(2);
    upstream.connect = Duration(3);
    const EffectiveTimeouts result = effective(location, upstream);
    EXPECT_EQ(result.read, Duration(1));
    EXPECT_EQ(result.connect, Duration(3));
    EXPECT_EQ(result.send, Duration(60'000));
    EXPECT_EQ(result.upgraded, Duration(86'400'000));
    EXPECT_EQ(result.total, Duration(0));
}

TEST(Levels, HeaderRulesMergeByFieldName) {
    const auto snapshot = must_load(
        "defaults: { response_headers: { set: { A: 1, B: 2 }, add: { C: 3 }, remove: Server } }\n"
        "hosts: { h: { upstream: 1, response_headers: { set: { a: 9 }, add: { D: [4, 5] } },\n"
        "  locations: { /: { response_headers: { set: { B: null, C: \"\" } } } } } }\n");
    EXPECT_THAT(show(snapshot->default_policy->response_headers),
                ElementsAre("set A=1", "set B=2", "add C=3", "remove Server"));
    EXPECT_THAT(
        show(snapshot->hosts[0].locations[0].policy->response_headers),
        ElementsAre("remove Server", "set a=9", "add D=4", "add D=5", "remove B", "remove C"));
    EXPECT_EQ(snapshot->default_policy->response_headers[3].id, http::FieldId::server);
}

TEST(Levels, SetAndAddOfOneLevelStandTogether) {
    const auto snapshot =
        must_load("defaults: { request_headers: { set: { X: $host }, add: { X: b } } }\n");
    EXPECT_THAT(show(snapshot->default_policy->request_headers),
                ElementsAre("set X=$host", "add X=b"));
}

TEST(Levels, SecurityHeadersAreRulesOfTheirOwn) {
    const auto snapshot = must_load(
        "defaults: { security_headers: true, response_headers: { add: { Z: 1 } } }\n"
        "hosts: { h: { upstream: 1, locations: { /: {},\n"
        "  /a: { response_headers: { set: { x-frame-options: SAMEORIGIN } } },\n"
        "  /b: { security_headers: off } } } }\n");
    EXPECT_THAT(show(snapshot->default_policy->response_headers),
                ElementsAre("absent Strict-Transport-Security=max-age=63072000",
                            "absent X-Content-Type-Options=nosniff", "absent X-Frame-Options=DENY",
                            "add Z=1"));
    EXPECT_TRUE(snapshot->default_policy->response_headers.at(0).over_tls);
    EXPECT_FALSE(snapshot->default_policy->response_headers.at(1).over_tls);
    const auto& l = snapshot->hosts[0].locations;
    EXPECT_THAT(show(l[1].policy->response_headers),
                ElementsAre("absent Strict-Transport-Security=max-age=63072000",
                            "absent X-Content-Type-Options=nosniff", "add Z=1",
                            "set x-frame-options=SAMEORIGIN"));
    EXPECT_THAT(show(l[2].policy->response_headers), ElementsAre("add Z=1"));
}

TEST(Levels, FieldsThatTheProxyOwnsAreRefused) {
    EXPECT_THAT(errors_of("defaults: { request_headers: { set: { Connection: $http_upgrade } } }"),
                ElementsAre(HasSubstr("'Connection' is made by proxyd itself | WebSocket passes")));
    EXPECT_THAT(errors_of("defaults: { response_headers: { remove: [Content-Length] } }"),
                ElementsAre(HasSubstr("made by proxyd itself")));
    EXPECT_THAT(errors_of("defaults: { response_headers: { set: { \"A b\": c } } }"),
                ElementsAre(HasSubstr("'A b' is not a field name")));
    EXPECT_THAT(errors_of("defaults: { response_headers: { set: { A: \"b\\r\\nC: d\" } } }"),
                ElementsAre(HasSubstr("control character")));
    EXPECT_THAT(errors_of("defaults: { response_headers: { set: { A: { b: c } } } }"),
                ElementsAre(HasSubstr("'A' wants a text, not a map")));
    must_load("defaults: { request_headers: { set: { Host: $http_host } } }\n");
}

TEST(Levels, ADollarSignAloneHasAHintOfItsOwn) {
    EXPECT_THAT(errors_of("defaults: { response_headers: { set: { A: \"5 $\" } } }"),
                ElementsAre("1:46 '$' without a name | $$ for a dollar sign"));
}

TEST(Levels, ASlipInAGroupOfRules) {
    EXPECT_THAT(errors_of("defaults: { request_headers: { ad: { A: b } } }"),
                ElementsAre("1:32 unknown key 'ad' in 'request_headers' | did you mean 'add'?"));
    EXPECT_THAT(errors_of("defaults: { response_headers: { X-A: b } }"),
                ElementsAre(HasSubstr("set, add or remove: set: { X-A: ... }")));
}

TEST(Levels, NoLimitOfABodyIsOff) {
    EXPECT_THAT(errors_of("defaults: { max_body_size: 0 }"),
                ElementsAre("1:28 'max_body_size' must be at least 1, not 0 | off = no limit"));
}

TEST(Levels, Methods) {
    EXPECT_THAT(must_load("defaults: { methods: [GET, PURGE] }")->default_policy->methods,
                ElementsAre("GET", "PURGE"));
    EXPECT_THAT(must_load("defaults: { methods: GET }")->default_policy->methods,
                ElementsAre("GET"));
    EXPECT_THAT(errors_of("defaults: { methods: [get] }"),
                ElementsAre(HasSubstr("did you mean 'GET'?")));
    EXPECT_THAT(errors_of("defaults: { methods: [\"G T\"] }"),
                ElementsAre(HasSubstr("is not a method")));
}

TEST(Levels, ErrorPagesAreReadWhenTheFileIsLoaded) {
    const Directory directory;
    directory.write("errors/502.html", "<p>down");
    directory.write("errors/any.txt", "sorry");
    const std::string path =
        directory.write("proxyd.yaml",
                        "defaults: { error_pages: { 502: errors/502.html, 5xx: errors/any.txt } }\n"
                        "hosts: { h: { upstream: 1, error_pages: { 502: errors/any.txt, 4xx: "
                        "errors/any.txt } } }\n");
    const LoadResult result = load_file(path);
    ASSERT_NE(result.snapshot, nullptr);
    const auto& pages = result.snapshot->default_policy->error_pages;
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[0].status, 502);
    EXPECT_EQ(*pages[0].body, "<p>down");
    EXPECT_EQ(pages[0].content_type, "text/html; charset=utf-8");
    EXPECT_TRUE(pages[1].is_class);
    EXPECT_EQ(pages[1].status, 500);
    const auto& inner = result.snapshot->hosts[0].locations[0].policy->error_pages;
    ASSERT_EQ(inner.size(), 3U);
    EXPECT_EQ(inner[1].status, 502);
    EXPECT_EQ(inner[1].body, inner[2].body);
}

TEST(Levels, ErrorPagesThatAreRefused) {
    EXPECT_THAT(errors_of("defaults: { error_pages: { 502: /nonexistent/x.html } }"),
                ElementsAre(HasSubstr("1:33 the error page /nonexistent/x.html cannot be read")));
    EXPECT_THAT(errors_of("defaults: { error_pages: { 502: / } }"),
                ElementsAre(HasSubstr("is not a file")));
    EXPECT_THAT(errors_of("defaults: { error_pages: { 200: /x } }"),
                ElementsAre(HasSubstr("'200' is not a status of an error")));
    EXPECT_THAT(errors_of("defaults: { error_pages: { 3xx: /x } }"),
                ElementsAre(HasSubstr("400 to 599, 4xx or 5xx")));
}

TEST(Levels, AccessLogsOfLevels) {
    const auto snapshot = must_load(
        "log: { access: { path: /tmp/a.log, format: json } }\n"
        "hosts: { h: { upstream: 1, locations: { /: {}, /a: { access_log: off },\n"
        "  /b: { access_log: /tmp/b.log }, /c: { access_log: { format: combined, buffer: 0 } } } "
        "},\n"
        "  i: { upstream: 1, access_log: off, locations: { /: { access_log: on } } } }\n");
    const auto& l = snapshot->hosts[0].locations;
    EXPECT_EQ(l[0].policy->access_log, snapshot->access_log);
    EXPECT_EQ(l[1].policy->access_log, nullptr);
    EXPECT_EQ(l[2].policy->access_log->path, "/tmp/b.log");
    EXPECT_EQ(l[2].policy->access_log->format, AccessLog::Format::json);
    EXPECT_EQ(l[3].policy->access_log->path, "/tmp/a.log");
    EXPECT_EQ(l[3].policy->access_log->format, AccessLog::Format::combined);
    EXPECT_EQ(l[3].policy->access_log->buffer, 0U);
    EXPECT_EQ(snapshot->hosts[1].locations[0].policy->access_log, snapshot->access_log);
}

}  // namespace
}  // namespace proxyd::config
