// How a configuration comes together: shorthands, include, environment, merged levels, -T, -g.
#include "support/config_check.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(SmallestFiles, TwoLinesServeAHost) {
    FakeUpstream upstream;
    Daemon daemon("hosts:\n  app.example.com: @UP1@\n", ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "", "app.example.com").status, 200);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "other.example.com").status, 404);
    const auto request = upstream.last_request();
    EXPECT_EQ(request.headers.value("Host"), "app.example.com");
    for (const auto* name : {"X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto",
                             "X-Forwarded-Host", "X-Forwarded-Port"}) {
        EXPECT_TRUE(request.headers.has(name)) << name;
    }
}

TEST(SmallestFiles, TwoLinesServeEveryHost) {
    FakeUpstream upstream;
    Daemon daemon("hosts:\n  \"*\": @UP1@\n", ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "", "any.thing").status, 200);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "10.1.2.3:99").status, 200);
}

TEST(SmallestFiles, PassTheConfigurationTest) {
    for (const auto* text : {"hosts:\n  app.example.com: 3000\n", "hosts:\n  \"*\": 3000\n",
                             "version: 1\nhosts:\n  \"*\": 3000\n"}) {
        const auto verdict = check_config(text);
        EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    }
}

TEST(SwitchWords, OffAndFalseOnAndTrueAreTheSame) {
    for (const std::string word : {"on", "true", "off", "false"}) {
        SCOPED_TRACE(word);
        const auto verdict =
            check_config("hosts:\n  a.test: { upstream: 3000, websocket: " + word +
                         ", buffering: " + word + ", security_headers: " + word + " }\n");
        EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    }
}

TEST(Include, MergesHostsAndUpstreamsOfEveryFile) {
    FakeUpstream upstream;
    const TempDir temp;
    auto marks = ups(upstream);
    marks.set("DIR", temp.path().string());
    temp.write("conf.d/1.yaml", "hosts: { one.test: app }\n");
    temp.write("conf.d/2.yaml",
               marks.apply("upstreams: { app: { servers: [\"127.0.0.1:@UP1@\"] } }\n"
                           "hosts: { two.test: app }\n"));
    temp.write("conf.d/ignored.txt", "broken: [\n");
    Daemon daemon("include: \"@DIR@/conf.d/*.yaml\"\nhosts: { main.test: app }\n", marks);
    for (const auto* host : {"main.test", "one.test", "two.test"}) {
        EXPECT_EQ(get_once(daemon.http(), "/", "", host).status, 200) << host;
    }
}

TEST(Include, IsRelativeToItsFileAndErrorsNameTheIncludedOne) {
    ConfigFiles files;
    files.more["conf.d/a.yaml"] = "hosts:\n  a.test: { upsteam: 3000 }\n";
    const auto verdict = check_config("include: conf.d/*.yaml\nhosts: { m.test: 3000 }\n", files);
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("conf.d/a.yaml:2:13: error: unknown key 'upsteam'"),
              std::string::npos)
        << verdict.text;
}

TEST(Include, ANameGivenTwiceIsAnError) {
    ConfigFiles files;
    files.more["conf.d/a.yaml"] = "hosts:\n  m.test: 3001\n";
    const auto verdict = check_config("include: conf.d/*.yaml\nhosts: { m.test: 3000 }\n", files);
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("m.test"), std::string::npos) << verdict.text;
}

TEST(Include, PatternThatMatchesNothingIsFine) {
    EXPECT_EQ(check_config("include: conf.d/*.yaml\nhosts: { m.test: 3000 }\n").exit_code, 0);
}

TEST(Environment, IsTakenAtLoadTimeWithItsDefault) {
    FakeUpstream upstream;
    DaemonOptions options;
    options.env = {{"TEST_APP_PORT", std::to_string(upstream.port())}};
    Daemon daemon(R"(
hosts:
  "*":
    upstream: "127.0.0.1:${TEST_APP_PORT:-1}"
    request_headers: { set: { X-Color: "${TEST_NO_SUCH_NAME:-blue}" } }
)",
                  {}, options);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("X-Color"), "blue");
}

TEST(Environment, UnsetNameWithoutDefaultIsAnError) {
    const auto verdict = check_config("hosts:\n  a.test: \"127.0.0.1:${TEST_NO_SUCH_NAME}\"\n");
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("TEST_NO_SUCH_NAME"), std::string::npos) << verdict.text;
}

TEST(Environment, ValueCannotAddKeys) {
    ConfigFiles files;
    files.env = {{"TEST_VALUE", "x\nhosts: { evil.test: 1 }"}};
    files.arguments = {"-T"};
    const auto verdict = check_config(
        "hosts:\n  a.test: { return: { status: 200, body: \"${TEST_VALUE}\" } }\n", files);
    EXPECT_EQ(verdict.out.find("\nhosts: { evil"), std::string::npos);
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
}

TEST(Levels, MergeByNameFromDefaultsToLocation) {
    FakeUpstream upstream([](const Request&) { return text_reply(std::string(10, 'x')); });
    Daemon daemon(R"(
defaults:
  max_body_size: 4
  methods: [GET, POST]
  response_headers: { set: { X-A: defaults, X-B: defaults } }
hosts:
  a.test:
    upstream: @UP1@
    response_headers: { set: { X-B: host } }
    locations:
      /: {}
      /put: { methods: [PUT], max_body_size: 100 }
)",
                  ups(upstream));
    const auto root = get_once(daemon.http(), "/", "", "a.test");
    EXPECT_EQ(root.headers.value("X-A"), "defaults");
    EXPECT_EQ(root.headers.value("X-B"), "host");
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("PUT", "/put", "12345", "", "a.test")).status, 200);
    EXPECT_EQ(get_once(daemon.http(), "/put", "", "a.test").status, 405);
    EXPECT_EQ(
        RawClient(daemon.http()).exchange(body_request("POST", "/", "12345", "", "a.test")).status,
        413);
}

TEST(Dump, PrintsTheMergedConfigurationWhichPassesItsOwnTest) {
    ConfigFiles files;
    files.arguments = {"-T"};
    files.more["conf.d/a.yaml"] = "hosts:\n  inc.test: 3001\n";
    const auto verdict = check_config(R"(include: conf.d/*.yaml
defaults: { max_body_size: 7m }
upstreams: { app: { servers: [{ address: "127.0.0.1:3000", weight: 3 }] } }
hosts:
  main.test: { upstream: app, timeouts: { read: 11s } }
)",
                                      files);
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    for (const auto* word : {"main.test", "inc.test", "7m", "11s", "weight: 3", "127.0.0.1:3001",
                             "proxyd.yaml:5", "conf.d/a.yaml:2"}) {
        EXPECT_NE(verdict.out.find(word), std::string::npos) << word << " is missing in\n"
                                                             << verdict.out;
    }
    const auto again = check_config(verdict.out);
    EXPECT_EQ(again.exit_code, 0) << again.text;
}

TEST(Override, GivesAKeyOnTheCommandLine) {
    FakeUpstream upstream;
    DaemonOptions options;
    options.arguments = {"-g", "client: { max_header_size: 2k }"};
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream), options);
    RawClient client(daemon.http());
    client.try_send(get_request("/", "A: " + std::string(3000, 'a') + "\r\n"));
    EXPECT_EQ(client.read_response().status, 431);
}

TEST(Override, IsCheckedLikeTheFile) {
    ConfigFiles files;
    files.arguments = {"-t", "-g", "wrokers: 2"};
    const auto verdict = check_config("hosts: { a.test: 3000 }\n", files);
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("wrokers"), std::string::npos) << verdict.text;
}

}  // namespace
}  // namespace proxyd::test
