// retry.budget: a sick upstream is not asked again without end.
#include "support/daemon.hpp"
#include "support/peers.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string config(const std::string& retry) {
    return "workers: 4\nupstreams:\n  app:\n    max_ejected: 0%\n    servers:\n"
           "      - { address: \"127.0.0.1:@UP1@\", max_fails: 0 }\n"
           "      - { address: \"127.0.0.1:@UP2@\", max_fails: 0 }\n    retry: " +
           retry + "\nhosts: { \"*\": app }\n";
}

FakeUpstream::Handler failing() {
    return [](const Request&) { return text_reply("busy", 503); };
}

TEST(RetryBudget, IsAShareOfTheRequestsAndThreeASecond) {
    FakeUpstream one(failing()), two(failing());
    Daemon daemon(config("{ on: [http_503], budget: 20% }"), ups(one, two));
    RawClient client(daemon.http());
    for (int count = 0; count < 200; ++count) {
        const auto response = client.get("/");
        ASSERT_EQ(response.status, 503);
        ASSERT_EQ(response.body, "busy") << "the server's own answer is relayed";
    }
    const int retries = one.request_count() + two.request_count() - 200;
    EXPECT_GE(retries, 60);
    EXPECT_LE(retries, 70) << "20% of 200 and 30 for ten seconds";
    const Json upstream = upstream_of(daemon);
    EXPECT_EQ(upstream["retries"].number(), retries);
    EXPECT_EQ(upstream["retries_refused"].number(), 200 - retries);
    EXPECT_TRUE(daemon.wait_for_log("not asked again, retry.budget is used up: upstream_status"));
}

TEST(RetryBudget, AQuietSiteRetries) {
    FakeUpstream one(failing());
    FakeUpstream two([](const Request&) { return text_reply("good"); });
    Daemon daemon(config("{ on: [http_503], budget: 0% }"), ups(one, two));
    for (int count = 0; count < 20; ++count) EXPECT_EQ(get_once(daemon.http(), "/").body, "good");
}

TEST(RetryBudget, AnErrorOfOursIsGivenWhenItIsUsedUp) {
    const auto script = [](UpstreamConnection& connection) {
        Request request;
        (void)connection.read_request(request);
    };
    auto one = FakeUpstream::scripted(script);
    auto two = FakeUpstream::scripted(script);
    Daemon daemon(config("{ on: [error], budget: 0% }"), ups(*one, *two));
    for (int count = 0; count < 40; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(one->heads() + two->heads(), 70);
    EXPECT_EQ(daemon.access(39)["reason"].text(), "upstream_closed");
    EXPECT_TRUE(daemon.wait_for_log("not asked again, retry.budget is used up: upstream_closed"));
}

// A refused connection costs nobody anything: the second server gets what the first was spared.
TEST(RetryBudget, RefusedConnectionsAreNotCounted) {
    FakeUpstream two([](const Request&) { return text_reply("good"); });
    Marks marks;
    marks.set("UP2", std::to_string(two.port()));
    Daemon daemon(config("{ on: [error], budget: 0% }"), marks);
    for (int count = 0; count < 100; ++count) ASSERT_EQ(get_once(daemon.http(), "/").body, "good");
    EXPECT_GE(upstream_of(daemon)["retries"].number(), 50);
}

}  // namespace
}  // namespace proxyd::test
