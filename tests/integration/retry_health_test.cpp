// What a retried status says about the health of its server, and how many servers are asked.
#include "support/daemon.hpp"
#include "support/ports.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string two_servers(const std::string& retry) {
    return R"(
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", max_fails: 2, fail_timeout: 60s }
      - { address: "127.0.0.1:@UP2@", max_fails: 2, fail_timeout: 60s }
    retry: )" +
           retry + "\nhosts: { \"*\": app }\n";
}

std::vector<double> figures(const Daemon& daemon, const std::string& key) {
    std::vector<double> values;
    const auto result = daemon.cli({"status", "--json"});
    const auto status = Json::parse(result.out);
    EXPECT_TRUE(status) << result.both();
    if (!status || (*status)["upstreams"].array().empty()) return values;
    for (const auto& peer : (*status)["upstreams"].array()[0]["peers"].array()) {
        values.push_back(peer[key].number());
    }
    return values;
}

TEST(RetryHealth, Status404AsksTheNextButTakesNoServerOut) {
    FakeUpstream one([](const Request&) { return text_reply("one", 404); });
    FakeUpstream two([](const Request&) { return text_reply("two", 404); });
    Daemon daemon(two_servers("{ on: [error, http_404] }"), ups(one, two));
    RawClient client(daemon.http());
    for (int count = 0; count < 8; ++count) ASSERT_EQ(client.get("/").status, 404);
    EXPECT_EQ(one.request_count(), 8);
    EXPECT_EQ(two.request_count(), 8);
    EXPECT_EQ(figures(daemon, "failures"), (std::vector<double>{0, 0}));
}

TEST(RetryHealth, Status404OfOneServerLeavesItInTurn) {
    FakeUpstream lacks([](const Request&) { return text_reply("lacks", 404); });
    FakeUpstream has([](const Request&) { return text_reply("has"); });
    Daemon daemon(two_servers("{ on: [error, http_404] }"), ups(lacks, has));
    RawClient client(daemon.http());
    for (int count = 0; count < 8; ++count) ASSERT_EQ(client.get("/").body, "has");
    EXPECT_GE(lacks.request_count(), 4);
}

TEST(RetryHealth, Status500OfTheLastServerIsRelayedAndCounted) {
    FakeUpstream one([](const Request&) { return text_reply("one", 500); });
    FakeUpstream two([](const Request&) { return text_reply("two", 500); });
    Daemon daemon(two_servers("{ on: [error, http_500] }"), ups(one, two));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.body, "two");
    EXPECT_EQ(figures(daemon, "failures"), (std::vector<double>{1, 1}));
}

TEST(RetryHealth, Status500ThatIsNotListedIsNoFailure) {
    FakeUpstream one([](const Request&) { return text_reply("one", 500); });
    FakeUpstream two([](const Request&) { return text_reply("two", 500); });
    Daemon daemon(two_servers("{ on: [error] }"), ups(one, two));
    for (int count = 0; count < 8; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 500);
    EXPECT_EQ(one.request_count(), 4);
    EXPECT_EQ(figures(daemon, "failures"), (std::vector<double>{0, 0}));
}

TEST(RetryHealth, SeventyDeadServersAreAskedOnceEach) {
    const auto port = std::to_string(claim_port());
    std::string servers;
    for (int number = 1; number <= 70; ++number) {
        servers += "      - { address: \"127.0.1." + std::to_string(number) + ":" + port +
                   "\", max_fails: 0 }\n";
    }
    Daemon daemon("upstreams:\n  app:\n    retry: { attempts: 0 }\n    servers:\n" + servers +
                  "hosts: { \"*\": app }\n");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    const auto asked = figures(daemon, "requests");
    ASSERT_EQ(asked.size(), 70U);
    for (const double count : asked) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace proxyd::test
