// What the name service says later: the TTL is honoured, and a change moves the traffic without a
// failed request.
#include "support/daemon.hpp"
#include "support/fake_dns.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <map>

namespace proxyd::test {
namespace {

using namespace std::chrono_literals;

FakeUpstream::Handler named(std::string name) {
    return [name](const Request&) { return text_reply(name); };
}

// Two upstreams on one port of two addresses.
class NameChanges : public ::testing::Test {
  protected:
    static constexpr auto kName = "app.names.test";
    static constexpr auto kOne = "127.0.0.1";
    static constexpr auto kTwo = "127.0.0.2";

    std::unique_ptr<Daemon> start(const std::string& keys = "") {
        Marks marks = ups(one_);
        marks.set("DNS", dns_.address());
        return std::make_unique<Daemon>(
            "resolver: { servers: \"@DNS@\", timeout: 1s }\n"
            "upstreams: { app: { servers: [{ address: \"app.names.test:@UP1@\" " +
                keys + " }] } }\nhosts: { \"*\": app }\n",
            std::move(marks));
    }
    void answer(std::vector<std::string> addresses, std::uint32_t ttl = 1) {
        dns_.set(kName, DnsEntry::addresses(std::move(addresses), ttl));
    }
    static int generation(const Daemon& daemon) {
        const auto text = daemon.cli({"status"}).out;
        const auto at = text.find("generation: ");
        return at == std::string::npos ? -1 : std::stoi(text.substr(at + 12));
    }
    [[nodiscard]] FakeUpstream::Options at(const std::string& host) const {
        FakeUpstream::Options options;
        options.host = host;
        options.port = one_.port();
        return options;
    }

    FakeDns dns_;
    FakeUpstream one_{named("one")};
    FakeUpstream two_{named("two"), at(kTwo)};
};

TEST_F(NameChanges, TheEndOfTheTtlMovesTheTrafficWithoutAFailedRequest) {
    answer({kOne});
    const auto daemon = start();
    Load load(daemon->http());
    ASSERT_TRUE(load.wait_for_answers(50));
    EXPECT_EQ(two_.request_count(), 0);
    answer({kTwo});
    ASSERT_TRUE(two_.wait_for_requests(200));
    EXPECT_TRUE(daemon->wait_for_log("'app.names.test': 127.0.0.2 came; 127.0.0.1 went"));
    EXPECT_TRUE(one_.wait_for_open(0));
    const int last = one_.request_count();
    ASSERT_TRUE(two_.wait_for_requests(400));
    EXPECT_EQ(one_.request_count(), last);
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
}

TEST_F(NameChanges, AnExchangeInFlightEndsWhereItBegan) {
    Gate go_on;
    FakeUpstream::Options options = at("127.0.0.3");
    FakeUpstream slow(
        [&](const Request&) {
            EXPECT_TRUE(go_on.wait());
            return text_reply("slow");
        },
        options);
    answer({"127.0.0.3"});
    const auto daemon = start();
    RawClient client(daemon->http());
    client.send(get_request("/"));
    ASSERT_TRUE(slow.wait_for_requests(1));
    answer({kOne});
    EXPECT_TRUE(daemon->wait_for_log("127.0.0.1 came; 127.0.0.3 went"));
    EXPECT_TRUE(eventually([&] { return generation(*daemon) == 2; }));
    EXPECT_EQ(get_once(daemon->http(), "/").body, "one");
    go_on.open();
    EXPECT_EQ(client.read_response().body, "slow");
}

TEST_F(NameChanges, EveryAddressIsAPeerWithItsShare) {
    answer({kOne, kTwo});
    const auto daemon = start();
    std::map<std::string, int> shares;
    for (int i = 0; i < 20; ++i) ++shares[get_once(daemon->http(), "/").body];
    EXPECT_EQ(shares, (std::map<std::string, int>{{"one", 10}, {"two", 10}}));
}

// The fake server turns the records round with every answer.
TEST_F(NameChanges, TheSameAddressesInAnotherOrderChangeNothing) {
    answer({kOne, kTwo});
    const auto daemon = start();
    ASSERT_TRUE(dns_.wait_for_questions(kName, 3));
    EXPECT_EQ(generation(*daemon), 1);
    EXPECT_EQ(daemon->log().find("came"), std::string::npos);
}

TEST_F(NameChanges, ALongTtlIsHonoured) {
    answer({kOne}, 3'600);
    const auto daemon = start();
    const int asked = dns_.asked(kName);
    EXPECT_FALSE(dns_.wait_for_questions(kName, 1, 2'500ms));
    EXPECT_EQ(dns_.asked(kName), asked);
}

TEST_F(NameChanges, APeerThatStaysKeepsItsState) {
    answer({kOne, "127.0.0.4"});  // nothing listens there
    const auto daemon = start(", max_fails: 1, fail_timeout: 60s");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(get_once(daemon->http(), "/").body, "one");
    const auto failed = [&] {
        const auto status = daemon->cli({"status"}).out;
        const auto line = status.substr(status.find("  127.0.0.4:"));
        return line.substr(0, line.find('\n')).find("failed (upstream_refused)") !=
               std::string::npos;
    };
    ASSERT_TRUE(failed()) << daemon->cli({"status"}).out;
    answer({kOne, kTwo, "127.0.0.4"});
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").body == "two"; }));
    EXPECT_TRUE(failed()) << daemon->cli({"status"}).out;
}

TEST_F(NameChanges, ADeadNameServerStopsNothing) {
    answer({kOne});
    const auto daemon = start();
    Load load(daemon->http());
    dns_.stop();
    EXPECT_TRUE(daemon->wait_for_log("'app.names.test' cannot be resolved: no "));
    EXPECT_TRUE(daemon->wait_for_log("; its last addresses stay in use"));
    ASSERT_TRUE(load.wait_for_answers(load.answered() + 100));
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
    EXPECT_EQ(generation(*daemon), 1);
}

TEST_F(NameChanges, ANameThatGoesAwayKeepsItsAddressesUntilItIsBack) {
    answer({kOne});
    const auto daemon = start();
    for (const auto& failure : {DnsEntry::failure(DnsEntry::kNxdomain), DnsEntry::addresses({}),
                                DnsEntry::failure(DnsEntry::kServfail)}) {
        dns_.set(kName, failure);
        ASSERT_TRUE(dns_.wait_for_questions(kName));
        EXPECT_EQ(get_once(daemon->http(), "/").body, "one");
    }
    EXPECT_EQ(generation(*daemon), 1);
    const auto loss = daemon->log().find("cannot be resolved: there is no such name");
    EXPECT_NE(loss, std::string::npos) << daemon->log();
    EXPECT_EQ(daemon->log().find("cannot be resolved", loss + 30), std::string::npos)
        << "one line for the whole outage:\n"
        << daemon->log();
    answer({kTwo});
    EXPECT_TRUE(daemon->wait_for_log("'app.names.test' resolves now: 127.0.0.2"));
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").body == "two"; }));
}

// Under a sanitizer too: some thousand answers with the right number and wrong bytes.
TEST_F(NameChanges, BrokenAnswersBreakNothing) {
    answer({kOne});
    std::string yaml = "resolver: { servers: \"@DNS@\", timeout: 1s }\nupstreams:\n";
    for (int i = 0; i < 150; ++i) {
        const auto name = "n" + std::to_string(i);
        auto hosts = DnsEntry::alias(kName).with(DnsEntry::Trick::Mutated);
        auto services =
            DnsEntry::services({{1, 2, one_.port(), kName}, {2, 2, 80, name + ".test"}});
        dns_.set(name + ".test", hosts);
        dns_.set("_http._tcp." + name + ".test", services.with(DnsEntry::Trick::Mutated));
        yaml += "  " + name + ": [" + name + ".test:80, { srv: _http._tcp." + name + ".test }]\n";
    }
    Marks marks = ups(one_);
    marks.set("DNS", dns_.address());
    const Daemon daemon(yaml + "hosts: { \"*\": \"http://app.names.test:@UP1@\" }\n",
                        std::move(marks));
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(dns_.wait_for_questions("n0.test"));
        EXPECT_EQ(daemon.cli({"status"}).exit_code, 0);
    }
    EXPECT_TRUE(eventually([&] { return dns_.asked("_http._tcp.n1.test") >= 3; }));
}

TEST_F(NameChanges, WhatARefusedReloadFoundOutIsServedSoonAfterIt) {
    answer({kOne}, 3'600);
    const auto daemon = start();
    answer({kTwo}, 3'600);
    FakeUpstream taken;
    auto yaml = read_file(daemon->config_path());
    const auto listener = "127.0.0.1:" + std::to_string(daemon->http());
    const auto at = yaml.find(listener);
    ASSERT_NE(at, std::string::npos);
    yaml.replace(at, listener.size(), taken.address());
    daemon->write_config(yaml);
    EXPECT_EQ(daemon->cli({"-s", "reload"}).exit_code, 1);
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").body == "two"; }));
}

}  // namespace
}  // namespace proxyd::test
