// `srv`: the records of a service become peers with their ports, weights and priorities.
#include "support/daemon.hpp"
#include "support/fake_dns.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <map>

namespace proxyd::test {
namespace {

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

class Srv : public ::testing::Test {
  protected:
    static constexpr auto kService = "_http._tcp.app.test";

    void SetUp() override {
        for (const auto* host : {"h1.test", "h2.test", "h3.test"}) {
            dns_.set(host, DnsEntry::addresses({"127.0.0.1"}));
        }
    }
    void records(const std::vector<SrvData>& list) { dns_.set(kService, DnsEntry::services(list)); }
    std::unique_ptr<Daemon> start(const std::string& server = "srv: _http._tcp.app.test") {
        Marks marks = ups(one_, two_, three_);
        marks.set("DNS", dns_.address());
        return std::make_unique<Daemon>(
            "resolver: { servers: \"@DNS@\", timeout: 1s }\n"
            "upstreams: { app: { servers: [{ " +
                server + " }] } }\nhosts: { \"*\": app }\n",
            std::move(marks));
    }
    static std::map<std::string, int> shares(Daemon& daemon, int count) {
        std::map<std::string, int> all;
        for (int i = 0; i < count; ++i) ++all[get_once(daemon.http(), "/").body];
        return all;
    }

    using Shares = std::map<std::string, int>;
    FakeDns dns_;
    FakeUpstream one_{named("1")};
    FakeUpstream two_{named("2")};
    FakeUpstream three_{named("3")};
};

TEST_F(Srv, WeightsMultiplyAndZeroCountsAsOne) {
    records({{10, 3, one_.port(), "h1.test"}, {10, 0, two_.port(), "h2.test"}});
    const auto daemon = start("srv: _http._tcp.app.test, weight: 2");
    EXPECT_EQ(shares(*daemon, 16), (Shares{{"1", 12}, {"2", 4}}));
    const auto status = daemon->cli({"status"}).out;
    EXPECT_NE(status.find("weight 6"), std::string::npos) << status;
    EXPECT_NE(status.find("weight 2"), std::string::npos) << status;
}

TEST_F(Srv, LargeWeightsKeepTheirShares) {
    records({{10, 60'000, one_.port(), "h1.test"}, {10, 20'000, two_.port(), "h2.test"}});
    const auto daemon = start("srv: _http._tcp.app.test, weight: 60000");
    const auto status = daemon->cli({"status"}).out;
    EXPECT_NE(status.find("weight 65535"), std::string::npos) << status;
    EXPECT_NE(status.find("weight 21845"), std::string::npos) << status;
}

TEST_F(Srv, HigherPrioritiesAreBackups) {
    records({{20, 5, two_.port(), "h2.test"},
             {10, 1, one_.port(), "h1.test"},
             {30, 5, three_.port(), "h3.test"}});
    const auto daemon = start();
    EXPECT_EQ(shares(*daemon, 8), (Shares{{"1", 8}}));
    one_.stop();
    for (const auto& [body, count] : shares(*daemon, 8)) EXPECT_TRUE(body == "2" || body == "3");
}

TEST_F(Srv, ChangesAreFollowed) {
    records({{10, 1, one_.port(), "h1.test"}});
    const auto daemon = start();
    EXPECT_EQ(shares(*daemon, 4), (Shares{{"1", 4}}));
    records({{10, 1, two_.port(), "h1.test"}});
    EXPECT_TRUE(daemon->wait_for_log("127.0.0.1:" + std::to_string(two_.port()) +
                                     " came; 127.0.0.1:" + std::to_string(one_.port()) + " went"));
    EXPECT_TRUE(eventually([&] { return shares(*daemon, 4) == Shares{{"2", 4}}; }));
    // The smallest TTL of all counts: that of the record is over, that of the host not yet.
    dns_.set("h1.test", DnsEntry::addresses({"127.0.0.1"}, 3'600));
    EXPECT_TRUE(dns_.wait_for_questions(kService, 2));
}

TEST_F(Srv, ATargetThatDoesNotResolveLeavesTheOthers) {
    records({{10, 1, one_.port(), "h1.test"}, {10, 1, two_.port(), "gone.test"}});
    const auto daemon = start();
    EXPECT_EQ(shares(*daemon, 4), (Shares{{"1", 4}}));
    dns_.set("gone.test", DnsEntry::addresses({"127.0.0.1"}));
    EXPECT_TRUE(eventually([&] { return shares(*daemon, 4) == Shares{{"1", 2}, {"2", 2}}; }));
    dns_.set("gone.test", DnsEntry::failure(DnsEntry::kServfail));
    ASSERT_TRUE(dns_.wait_for_questions(kService, 2));
    EXPECT_EQ(shares(*daemon, 4), (Shares{{"1", 2}, {"2", 2}}));
}

TEST_F(Srv, AServiceThatIsNotOfferedHasNoPeers) {
    records({{0, 0, 0, "."}});
    const auto daemon = start();
    EXPECT_TRUE(
        daemon->wait_for_log("'_http._tcp.app.test' cannot be resolved: the service is not "
                             "offered; it is down until the name resolves"));
    EXPECT_EQ(get_once(daemon->http(), "/").status, 502);
    records({{10, 1, one_.port(), "h1.test"}});
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").body == "1"; }));
}

TEST_F(Srv, OneWithoutRecordsIsAWarningOfTheTest) {
    const auto daemon = start();
    const auto result = daemon->cli({"-t"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.err.find("proxyd.yaml:2:"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("'_http._tcp.app.test' cannot be resolved: there is no such name"),
              std::string::npos)
        << result.err;
}

}  // namespace
}  // namespace proxyd::test
