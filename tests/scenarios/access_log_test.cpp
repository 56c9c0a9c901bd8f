// The formats of the access log.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace proxyd::test {
namespace {

std::string logged_as(const std::string& format, const std::string& more = "") {
    return "log: { access: { path: @TMP@/access.log, format: " + format + ", buffer: 0 }" + more +
           " }\nhosts: { \"*\": @UP1@ }\n";
}

constexpr auto kCombined =
    R"re(127\.0\.0\.1 - - \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] )re"
    R"re("GET /a\?b=c HTTP/1\.1" 200 2 "http://ref\.test/" "agent/1\.0 \(x\)")re";

constexpr auto kFields = "Referer: http://ref.test/\r\nUser-Agent: agent/1.0 (x)\r\n";

TEST(AccessLog, CombinedIsTheClassicLine) {
    FakeUpstream upstream;
    Daemon daemon(logged_as("combined"), ups(upstream));
    get_once(daemon.http(), "/a?b=c", kFields);
    const auto line = daemon.wait_for_access(1).at(0);
    EXPECT_TRUE(std::regex_match(line, std::regex(kCombined))) << line;
}

TEST(AccessLog, CombinedIsTheDefaultFormat) {
    FakeUpstream upstream;
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, buffer: 0 } }\n"
        "hosts: { \"*\": @UP1@ }\n",
        ups(upstream));
    get_once(daemon.http(), "/a?b=c", kFields);
    const auto line = daemon.wait_for_access(1).at(0);
    EXPECT_TRUE(std::regex_match(line, std::regex(kCombined))) << line;
}

TEST(AccessLog, MissingFieldsAreADash) {
    FakeUpstream upstream;
    Daemon daemon(logged_as("combined"), ups(upstream));
    get_once(daemon.http(), "/");
    EXPECT_TRUE(daemon.wait_for_access(1).at(0).ends_with("\"GET / HTTP/1.1\" 200 2 \"-\" \"-\""));
}

TEST(AccessLog, CombinedPlusAddsTimesPeerReasonAndId) {
    FakeUpstream upstream;
    Daemon daemon(logged_as("combined_plus"), ups(upstream));
    get_once(daemon.http(), "/a?b=c", kFields);
    const auto line = daemon.wait_for_access(1).at(0);
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, std::regex(std::string(kCombined) + " (.+)")))
        << line;
    const auto rest = match[1].str();
    EXPECT_NE(rest.find("127.0.0.1:" + std::to_string(upstream.port())), std::string::npos) << rest;
    EXPECT_NE(rest.find(upstream.last_request().headers.value("X-Request-ID")), std::string::npos);
}

TEST(AccessLog, JsonHasEveryKeyInEveryLine) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { app.test: @UP1@ }\n", ups(upstream));
    // Each worker writes its own lines: one after the other, so that their order is known.
    get_once(daemon.http(), "/a?b=c", kFields);
    daemon.wait_for_access(1);
    get_once(daemon.http(), "/", "", "unknown.test");
    daemon.wait_for_access(2);
    RawClient(daemon.http()).exchange("BROKEN\r\n\r\n");
    for (std::size_t index = 0; index < 3; ++index) {
        const auto line = daemon.access(index);
        for (const std::string key :
             {"time", "remote_addr", "host", "request_method", "request_uri", "status",
              "body_bytes_sent", "request_time", "upstream_addr", "upstream_connect_time",
              "upstream_response_time", "upstream_cache_status", "http_user_agent", "ssl_protocol",
              "request_id", "trace_id", "reason"}) {
            EXPECT_TRUE(line.has(key)) << key << " is missing in line " << index;
        }
    }
    const auto good = daemon.access(0);
    EXPECT_EQ(good["remote_addr"].text(), "127.0.0.1");
    EXPECT_EQ(good["host"].text(), "app.test");
    EXPECT_EQ(good["request_method"].text(), "GET");
    EXPECT_EQ(good["request_uri"].text(), "/a?b=c");
    EXPECT_EQ(good["status"].text(), "200");
    EXPECT_EQ(good["body_bytes_sent"].text(), "2");
    EXPECT_EQ(good["upstream_addr"].text(), "127.0.0.1:" + std::to_string(upstream.port()));
    EXPECT_EQ(good["http_user_agent"].text(), "agent/1.0 (x)");
    EXPECT_EQ(good["reason"].text(), "");
    EXPECT_EQ(daemon.access(1)["reason"].text(), "no_host");
    EXPECT_EQ(daemon.access(2)["status"].text(), "400");
}

TEST(AccessLog, TemplatesAndNamedFormatsAreExpanded) {
    FakeUpstream upstream;
    const std::string expected = "127.0.0.1|GET|/a?b=c|200|app.test|";
    const std::string pattern =
        "\"$remote_addr|$request_method|$request_uri|$status|$host|$http_x_none\"";
    {
        Daemon daemon(logged_as(pattern), ups(upstream));
        get_once(daemon.http(), "/a?b=c");
        const auto line = daemon.wait_for_access(1).at(0);
        EXPECT_TRUE(line == expected || line == expected + "-") << line;
    }
    Daemon daemon(logged_as("mine", ", formats: { mine: " + pattern + " }"), ups(upstream));
    get_once(daemon.http(), "/a?b=c");
    EXPECT_TRUE(daemon.wait_for_access(1).at(0).starts_with(expected));
}

}  // namespace
}  // namespace proxyd::test
