// Answers of name servers, good and bad: what becomes a peer and what is said of the rest.
#include "support/daemon.hpp"
#include "support/fake_dns.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <set>

namespace proxyd::test {
namespace {

// The addresses of the peers of every upstream, and the start's log.
struct Outcome {
    std::map<std::string, std::vector<std::string>> peers;
    std::string log;
};

class NameAnswers : public ::testing::Test {
  protected:
    void add(const std::string& name, DnsEntry entry) {
        names_.insert(name);
        dns_.set(name + ".names.test", std::move(entry));
    }

    // One upstream for each name, port 80.
    Outcome start(const std::string& servers = "\"@DNS@\"") {
        std::string yaml = "resolver: { servers: [" + servers + "], timeout: 1s }\nupstreams:\n";
        for (const auto& name : names_) yaml += "  " + name + ": [" + name + ".names.test:80]\n";
        yaml += "hosts: { \"*\": { return: 204 } }\n";
        Marks marks;
        marks.set("DNS", dns_.address());
        const Daemon daemon(yaml, std::move(marks));
        Outcome outcome;
        std::string upstream;
        std::istringstream status(daemon.cli({"status"}).out);
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("upstream ")) upstream = line.substr(9), outcome.peers[upstream];
            if (!line.starts_with("  ")) continue;
            outcome.peers[upstream].push_back(line.substr(2, line.find(' ', 2) - 2));
        }
        outcome.log = daemon.log();
        return outcome;
    }

    static void expect_said(const Outcome& outcome, const std::string& name,
                            const std::string& words) {
        const auto line = "'" + name + ".names.test' cannot be resolved: " + words;
        EXPECT_NE(outcome.log.find(line), std::string::npos) << line << "\n" << outcome.log;
        EXPECT_TRUE(outcome.peers.at(name).empty());
    }

    using List = std::vector<std::string>;
    FakeDns dns_;
    std::set<std::string> names_;
};

TEST_F(NameAnswers, GoodOnes) {
    add("plain", DnsEntry::addresses({"127.0.0.3", "127.0.0.2"}));
    add("alias", DnsEntry::alias("real.names.test"));
    dns_.set("real.names.test", DnsEntry::addresses({"127.0.0.4"}));
    add("twice", DnsEntry::addresses({"127.0.0.5", "127.0.0.5"}));
    add("cut", DnsEntry::addresses({"127.0.0.6"}).truncated());
    add("loopback6", DnsEntry::addresses({"::1"}));
    const auto outcome = start();
    EXPECT_EQ(outcome.peers.at("plain"), (List{"127.0.0.2:80", "127.0.0.3:80"}));
    EXPECT_EQ(outcome.peers.at("alias"), List{"127.0.0.4:80"});
    EXPECT_EQ(outcome.peers.at("twice"), List{"127.0.0.5:80"});
    EXPECT_EQ(outcome.peers.at("cut"), List{"127.0.0.6:80"});
    EXPECT_EQ(outcome.peers.at("loopback6"), List{"[::1]:80"});
    EXPECT_GT(dns_.asked_by_tcp(), 0);
    EXPECT_EQ(outcome.log.find("cannot be resolved"), std::string::npos) << outcome.log;
}

TEST_F(NameAnswers, BadOnesAreSaidWithTheirReason) {
    add("nobody", DnsEntry::failure(DnsEntry::kNxdomain));
    add("broken", DnsEntry::failure(DnsEntry::kServfail));
    add("refusing", DnsEntry::failure(DnsEntry::kRefused));
    add("empty", DnsEntry::addresses({}));
    add("silent", DnsEntry::silence());
    add("half", DnsEntry::addresses({}).failing_for(DnsType::Aaaa));
    const auto outcome = start();
    expect_said(outcome, "nobody", "there is no such name");
    expect_said(outcome, "broken", "the name server failed (SERVFAIL)");
    expect_said(outcome, "refusing", "the name server refused to answer");
    expect_said(outcome, "empty", "it has no address");
    expect_said(outcome, "silent", "no answer within 1 s");
    expect_said(outcome, "half", "the name server failed (SERVFAIL)");
}

TEST_F(NameAnswers, ForgedAndBrokenOnesAreNotBelieved) {
    using Trick = DnsEntry::Trick;
    const auto good = [] { return DnsEntry::addresses({"127.0.0.3"}); };
    add("forged", good().with(Trick::WrongId));
    add("other", good().with(Trick::OtherQuestion));
    add("noise", good().with(Trick::Noise));
    add("loop", good().with(Trick::PointerLoop));
    add("short", good().with(Trick::ShortRecord));
    const auto outcome = start();
    for (const auto* name : {"forged", "other", "noise"}) {
        EXPECT_EQ(outcome.peers.at(name), List{"127.0.0.3:80"}) << name;
    }
    for (const auto* name : {"loop", "short"}) {
        EXPECT_TRUE(outcome.peers.at(name).empty()) << name;
        const auto said = std::string("'") + name + ".names.test' cannot be resolved";
        EXPECT_NE(outcome.log.find(said), std::string::npos) << outcome.log;
    }
}

TEST_F(NameAnswers, OneFamilyIsEnough) {
    add("v4", DnsEntry::addresses({"127.0.0.3"}).failing_for(DnsType::Aaaa));
    add("slow6", DnsEntry::addresses({"127.0.0.3"}).silent_for(DnsType::Aaaa));
    add("both", DnsEntry::addresses({"127.0.0.3", "::1"}));
    const auto outcome = start();
    EXPECT_EQ(outcome.peers.at("v4"), List{"127.0.0.3:80"});
    EXPECT_EQ(outcome.peers.at("slow6"), List{"127.0.0.3:80"});
    EXPECT_EQ(outcome.peers.at("both"), (List{"127.0.0.3:80", "[::1]:80"}));
}

TEST_F(NameAnswers, AnotherServerIsAskedWhenOneIsDead) {
    add("plain", DnsEntry::addresses({"127.0.0.3"}));
    EXPECT_EQ(start("\"127.0.0.1:@DEAD@\", \"@DNS@\"").peers.at("plain"), List{"127.0.0.3:80"});
}

TEST_F(NameAnswers, TheHostsFileComesFirst) {
    dns_.set("localhost", DnsEntry::addresses({"127.9.9.9"}));
    Marks marks;
    marks.set("DNS", dns_.address());
    const Daemon daemon(
        "resolver: { servers: \"@DNS@\" }\n"
        "hosts: { \"*\": { return: 204 }, a.test: \"http://localhost:81\" }\n",
        std::move(marks));
    const auto status = daemon.cli({"status"}).out;
    EXPECT_NE(status.find("  127.0.0.1:81"), std::string::npos) << status;
    EXPECT_EQ(status.find("127.9.9.9"), std::string::npos) << status;
    EXPECT_EQ(dns_.asked("localhost"), 0);
}

}  // namespace
}  // namespace proxyd::test
