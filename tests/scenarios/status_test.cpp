// `proxyd status` over the control socket, as text and as JSON.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
upstreams:
  cluster:
    servers:
      - { address: "127.0.0.1:@UP1@", weight: 3 }
      - { address: "127.0.0.1:@DEAD@", max_fails: 1, fail_timeout: 60s }
      - { address: "127.0.0.1:@SPARE@", backup: true }
      - { address: "127.0.0.1:@OUT@", down: true }
hosts:
  "*": cluster
)";

TEST(Status, TextNamesEveryUpstreamAndServer) {
    FakeUpstream upstream;
    Daemon daemon(kConfig, ups(upstream));
    const auto result = daemon.cli({"status"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("cluster"), std::string::npos) << result.out;
    for (const auto* mark : {"UP1", "DEAD", "SPARE", "OUT"}) {
        EXPECT_NE(result.out.find("127.0.0.1:" + daemon.marks().value(mark)), std::string::npos)
            << mark << " is missing in\n"
            << result.out;
    }
}

TEST(Status, JsonIsValidAndNamesEveryUpstreamAndServer) {
    FakeUpstream upstream;
    Daemon daemon(kConfig, ups(upstream));
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"status", "--json"}, std::vector<std::string>{"status"}}) {
        const auto result = daemon.cli(arguments);
        EXPECT_EQ(result.exit_code, 0);
        if (arguments.size() == 1) continue;
        const auto json = Json::parse(result.out);
        ASSERT_TRUE(json) << result.out;
        EXPECT_NE(result.out.find("cluster"), std::string::npos);
        for (const auto* mark : {"UP1", "DEAD", "SPARE", "OUT"}) {
            EXPECT_TRUE(json->mentions("127.0.0.1:" + daemon.marks().value(mark))) << mark;
        }
    }
}

TEST(Status, TellsThatAServerWasTakenOut) {
    FakeUpstream upstream;
    Daemon daemon(kConfig, ups(upstream));
    const auto before = daemon.cli({"status"}).out;
    for (int count = 0; count < 8; ++count) EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    const auto line_of = [&](const std::string& text) {
        const auto at = text.find("127.0.0.1:" + daemon.marks().value("DEAD"));
        const auto start = text.rfind('\n', at);
        return text.substr(start + 1, text.find('\n', at) - start - 1);
    };
    const auto after = daemon.cli({"status"}).out;
    EXPECT_NE(line_of(before), line_of(after)) << after;
}

TEST(Status, WorksWhileTheTrafficRuns) {
    Gate gate;
    FakeUpstream upstream([&](const Request&) {
        static_cast<void>(gate.wait());
        return text_reply("x");
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    EXPECT_EQ(daemon.cli({"status", "--json"}).exit_code, 0);
    gate.open();
    EXPECT_EQ(client.read_response().status, 200);
}

}  // namespace
}  // namespace proxyd::test
