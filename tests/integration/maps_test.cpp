// maps: a variable from another one, in nginx's order of matching.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(Maps, ExactThenRegexThenDefault) {
    FakeUpstream upstream;
    Daemon daemon(R"(
maps:
  tier: { from: $http_x_api_key, values: { "secret-1": gold, '~^s-': silver, '~^s-2': never }, default: free }
hosts:
  "*":
    upstream: @UP1@
    request_headers: { set: { X-Tier: $tier } }
)",
                  ups(upstream));
    const std::pair<const char*, const char*> rows[] = {
        {"X-Api-Key: secret-1\r\n", "gold"},
        {"X-Api-Key: SECRET-1\r\n", "gold"},
        {"X-Api-Key: s-17\r\n", "silver"},
        {"X-Api-Key: s-2\r\n", "silver"},
        {"X-Api-Key: other\r\n", "free"},
        {"X-Api-Key: secret-11\r\n", "free"},
        {"", "free"},
    };
    for (const auto& [fields, tier] : rows) {
        SCOPED_TRACE(fields);
        get_once(daemon.http(), "/", fields);
        EXPECT_EQ(upstream.last_request().headers.value("X-Tier"), tier);
    }
}

TEST(Maps, WithoutDefaultTheVariableIsEmpty) {
    FakeUpstream upstream;
    Daemon daemon(R"(
maps:
  kind: { from: $request_method, values: { POST: write } }
hosts:
  "*":
    upstream: @UP1@
    request_headers: { set: { X-Kind: "[$kind]" } }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    client.get("/");
    EXPECT_EQ(upstream.last_request().headers.value("X-Kind"), "[]");
    client.exchange(body_request("POST", "/", ""));
    EXPECT_EQ(upstream.last_request().headers.value("X-Kind"), "[write]");
}

TEST(Maps, ResultMayHoldVariables) {
    FakeUpstream upstream;
    Daemon daemon(R"(
maps:
  place: { from: $uri, values: { /a: "at $host" }, default: "not $uri" }
hosts:
  "*":
    upstream: @UP1@
    request_headers: { set: { X-Place: $place } }
)",
                  ups(upstream));
    get_once(daemon.http(), "/a");
    EXPECT_EQ(upstream.last_request().headers.value("X-Place"), "at app.test");
    get_once(daemon.http(), "/b");
    EXPECT_EQ(upstream.last_request().headers.value("X-Place"), "not /b");
}

TEST(Maps, HugeAndOddInputsAreHarmless) {
    FakeUpstream upstream;
    Daemon daemon(R"(
client: { max_header_size: 128k }
maps:
  m: { from: $arg_x, values: { '~^(a+)+$': as, '~(.*)b(.*)': b }, default: d }
hosts:
  "*":
    upstream: @UP1@
    request_headers: { set: { X-M: $m } }
)",
                  ups(upstream));
    for (const auto& value : {std::string(64'000, 'a'), std::string(30, 'a') + "!",
                              std::string("%25%00%zz"), std::string(20'000, '%')}) {
        const auto start = Clock::now();
        const auto response = get_once(daemon.http(), "/?x=" + value);
        EXPECT_TRUE(response.status == 200 || response.status == 400) << response.status;
        EXPECT_LT(Clock::now() - start, Duration(1000));
    }
}

}  // namespace
}  // namespace proxyd::test
