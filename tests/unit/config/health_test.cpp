#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// An upstream whose health_check stands at column 33 of line 1.
std::string with_check(const std::string& check) {
    return "upstreams: { x: { health_check: " + check + ", servers: [1] } }";
}

std::shared_ptr<const HealthCheck> check_of(const std::string& check) {
    return must_load(with_check(check))->upstreams.at("x")->health_check;
}

TEST(HealthKeys, ShortFormsAndDefaults) {
    EXPECT_EQ(check_of("off"), nullptr);
    EXPECT_EQ(check_of("false"), nullptr);
    EXPECT_EQ(must_load("upstreams: { x: 1 }")->upstreams.at("x")->health_check, nullptr);
    EXPECT_EQ(*check_of("on"), HealthCheck());
    const auto check = check_of("/healthz");
    EXPECT_EQ(check->path, "/healthz");
    EXPECT_EQ(check->interval, Duration(5'000));
    EXPECT_EQ(check->timeout, Duration(2'000));
    EXPECT_EQ(check->rise, 2U);
    EXPECT_EQ(check->fall, 3U);
    EXPECT_EQ(check->expect, std::vector<HealthCheck::Statuses>({{200, 399}}));
}

TEST(HealthKeys, EveryKey) {
    const auto check = check_of(
        "{ type: http, path: '/h?a=b', host: app.test, method: OPTIONS, port: 81, interval: 1s, "
        "timeout: 500ms, expect: [200, 301-303, 4xx], body: '~^o.', rise: 1, fall: 2 }");
    EXPECT_EQ(check->path, "/h?a=b");
    EXPECT_EQ(check->host, "app.test");
    EXPECT_EQ(check->method, "OPTIONS");
    EXPECT_EQ(check->port, 81);
    EXPECT_EQ(check->timeout, Duration(500));
    EXPECT_EQ(check->expect,
              std::vector<HealthCheck::Statuses>({{200, 200}, {301, 303}, {400, 499}}));
    EXPECT_EQ(check->body, "~^o.");
    EXPECT_EQ(check_of("{ type: tcp }")->type, HealthCheck::Type::tcp);
}

TEST(HealthKeys, WhatIsWrongIsRefusedInItsPlace) {
    EXPECT_THAT(errors_of(with_check("healthz")),
                ElementsAre("1:33 the path of a health check begins with '/' and has no blank | "
                            "health_check: /healthz"));
    EXPECT_THAT(errors_of(with_check("{ expect: 200-99 }")),
                ElementsAre("1:43 '200-99' is not a status of 'expect' | as in 200, 200-399, 2xx "
                            "or [200, 301]"));
    // No answer ends with such a status: the whole upstream would be out of service.
    EXPECT_THAT(errors_of(with_check("{ expect: 1xx }")),
                ElementsAre("1:43 '1xx' is not a status of 'expect' | as in 200, 200-399, 2xx or "
                            "[200, 301]"));
    EXPECT_THAT(errors_of(with_check("{ expect: [] }")),
                ElementsAre("1:43 'expect' names no status | as in 200, 200-399, 2xx or [200, "
                            "301]"));
    for (const std::string host : {"'app test'", "'http://app'", "''"}) {
        EXPECT_THAT(errors_of(with_check("{ host: " + host + " }")), SizeIs(1)) << host;
    }
    EXPECT_THAT(errors_of(with_check("{ type: tpc }")),
                ElementsAre("1:41 unknown type 'tpc' of a health check | http or tcp"));
    EXPECT_THAT(errors_of(with_check("{ type: tcp, path: /x }")),
                ElementsAre("1:46 'path' means nothing to a check of the type tcp | type: http"));
    EXPECT_THAT(errors_of(with_check("{ method: HEAD, body: ok }")),
                ElementsAre("1:49 an answer to HEAD has no body to look at | method: GET"));
    EXPECT_THAT(errors_of(with_check("{ intervall: 5s }")),
                ElementsAre("1:35 unknown key 'intervall' in 'health_check' | did you mean "
                            "'interval'?"));
    EXPECT_EQ(errors_of(with_check("{ body: '~(' }")).size(), 1U);
    EXPECT_EQ(errors_of(with_check("{ method: 'G T' }")).size(), 1U);
    EXPECT_EQ(errors_of(with_check("{ rise: 0 }")).size(), 1U);
    EXPECT_EQ(errors_of(with_check("{ timeout: 1ms }")).size(), 1U);
}

TEST(HealthKeys, Percentages) {
    const auto upstream = [](const std::string& keys) {
        return must_load("upstreams: { x: { " + keys + ", servers: [1] } }")->upstreams.at("x");
    };
    EXPECT_EQ(upstream("keepalive: 1")->max_ejected, 50U);
    EXPECT_EQ(upstream("keepalive: 1")->retry.budget, 20U);
    EXPECT_EQ(upstream("max_ejected: 30%")->max_ejected, 30U);
    EXPECT_EQ(upstream("max_ejected: 100")->max_ejected, 100U);
    EXPECT_EQ(upstream("retry: { budget: 5% }")->retry.budget, 5U);
    EXPECT_THAT(errors_of("upstreams: { x: { max_ejected: 101%, servers: [1] } }"),
                ElementsAre("1:32 'max_ejected' must be between 0% and 100%, not 101%"));
    EXPECT_THAT(errors_of("upstreams: { x: { max_ejected: half, servers: [1] } }"),
                ElementsAre("1:32 'max_ejected' wants a percentage such as 20%, not 'half'"));
}

}  // namespace
}  // namespace proxyd::config
