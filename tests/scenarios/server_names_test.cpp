// Names of servers: a load looks them up beside the traffic, and an outage takes nothing down.
#include "support/daemon.hpp"
#include "support/fake_dns.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <future>

namespace proxyd::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kResolver = "resolver: { servers: \"@DNS@\", timeout: 3s }\n";
constexpr auto kLocal = "hosts: { \"*\": { return: { status: 200, body: local } } }\n";
constexpr auto kApp = "hosts: { \"*\": \"http://app.names.test:@UP1@\" }\n";
constexpr auto kOther = "hosts: { \"*\": \"http://app.names.test:@UP1@\", b.test: 3000 }\n";

class ServerNames : public ::testing::Test {
  protected:
    static constexpr auto kName = "app.names.test";

    void answer() { dns_.set(kName, DnsEntry::addresses({"127.0.0.1"})); }
    void no_answer() { dns_.set(kName, DnsEntry::failure(DnsEntry::kServfail)); }

    [[nodiscard]] std::unique_ptr<Daemon> start(const std::string& yaml) {
        Marks marks = ups(upstream_);
        marks.set("DNS", dns_.address());
        return std::make_unique<Daemon>(kResolver + yaml, std::move(marks));
    }

    // A start that hangs on the name.
    [[nodiscard]] std::unique_ptr<Daemon> begin_start() {
        dns_.set(kName, DnsEntry::silence());
        Marks marks = ups(upstream_);
        marks.set("DNS", dns_.address());
        DaemonOptions options;
        options.wait_ready = false;
        auto daemon =
            std::make_unique<Daemon>(kResolver + std::string(kApp), std::move(marks), options);
        EXPECT_TRUE(dns_.wait_for_questions(kName));
        return daemon;
    }

    // `-s reload` that hangs on the name: returns when the name server was asked.
    [[nodiscard]] std::future<CliResult> begin_reload(Daemon& daemon, const std::string& yaml) {
        dns_.set(kName, DnsEntry::silence());
        daemon.write_config(kResolver + yaml);
        auto asked = std::async(std::launch::async, [&] { return dns_.wait_for_questions(kName); });
        auto result = std::async(std::launch::async, [&] { return daemon.cli({"-s", "reload"}); });
        EXPECT_TRUE(asked.get());
        return result;
    }

    FakeDns dns_;
    FakeUpstream upstream_{[](const Request&) { return text_reply("app"); }};
};

TEST_F(ServerNames, ALoadThatWaitsForThemHoldsUpNothing) {
    const auto daemon = start(kLocal);
    auto reload = begin_reload(*daemon, kApp);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "local");
    EXPECT_EQ(daemon->cli({"status"}).exit_code, 0);
    EXPECT_EQ(reload.wait_for(0s), std::future_status::timeout);
    answer();
    EXPECT_EQ(reload.get().exit_code, 0);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "app");
}

TEST_F(ServerNames, WhoAsksMeanwhileGetsTheVerdictOnTheNewestFile) {
    const auto daemon = start(kLocal);
    auto first = begin_reload(*daemon, kApp);
    daemon->write_config("hosts: { a.test: { retrn: 200 } }\n");
    std::vector<std::future<CliResult>> later;
    for (int count = 0; count < 3; ++count) {
        later.push_back(std::async(std::launch::async, [&] {
            return daemon->cli({"-s", "reload"});
        }));
    }
    daemon->signal(SIGHUP);
    EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
    answer();
    EXPECT_EQ(first.get().exit_code, 0);
    for (auto& each : later) {
        const auto result = each.get();
        EXPECT_EQ(result.exit_code, 78);
        EXPECT_NE(result.err.find("unknown key 'retrn'"), std::string::npos) << result.err;
    }
    EXPECT_EQ(get_once(daemon->http(), "/").body, "app");
}

TEST_F(ServerNames, TermAndQuitDoNotWaitForThem) {
    for (const int number : {SIGTERM, SIGQUIT}) {
        const auto daemon = start(kLocal);
        auto reload = begin_reload(*daemon, kApp);
        const auto before = Clock::now();
        daemon->signal(number);
        EXPECT_EQ(daemon->wait_exit(), (ExitStatus{0, 0}));
        EXPECT_LT(Clock::now() - before, 2s);
        EXPECT_EQ(reload.get().exit_code, 1);
    }
}

class StartWaitsForNames : public ServerNames, public ::testing::WithParamInterface<int> {};

TEST_P(StartWaitsForNames, TermAndQuitEndItAtOnce) {
    const auto daemon = begin_start();
    for (const auto* verb : {"status", "upstream"}) {
        std::vector<std::string> words{verb};
        if (words.front() == "upstream") words.emplace_back("list");
        const auto result = daemon->cli(words);
        EXPECT_EQ(result.exit_code, 1);
        EXPECT_EQ(result.err, "proxyd: still starting, names are looked up\n");
    }
    auto reload = std::async(std::launch::async, [&] { return daemon->cli({"-s", "reload"}); });
    const auto before = Clock::now();
    daemon->signal(GetParam());
    EXPECT_EQ(daemon->wait_exit().code, 0);
    EXPECT_LT(Clock::now() - before, 1s);
    EXPECT_EQ(reload.get().exit_code, 1);
}
INSTANTIATE_TEST_SUITE_P(Both, StartWaitsForNames, ::testing::Values(SIGTERM, SIGQUIT));

TEST_F(ServerNames, AReloadAtTheStartComesAfterIt) {
    const auto daemon = begin_start();
    daemon->write_config(kResolver + std::string(kLocal));
    auto reload = std::async(std::launch::async, [&] { return daemon->cli({"-s", "reload"}); });
    answer();
    EXPECT_EQ(reload.get().exit_code, 0);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "local");
}

TEST_F(ServerNames, AReloadEndsALookUpThatHangs) {
    answer();
    const auto daemon = start(kApp);
    dns_.set(kName, DnsEntry::silence());
    ASSERT_TRUE(dns_.wait_for_questions(kName));  // the TTL is over
    const auto before = Clock::now();
    daemon->reload(kResolver + std::string(kLocal));
    EXPECT_LT(Clock::now() - before, 2s);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "local");
}

TEST_F(ServerNames, OneWithoutAnAnswerInTimeIsAWarning) {
    const auto daemon = start(kLocal);
    auto reload = begin_reload(*daemon, kApp);
    const auto result = reload.get();
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out.find("'app.names.test' cannot be resolved: no answer within 3 s; it is "
                              "down until the name resolves"),
              std::string::npos)
        << result.both();
    EXPECT_EQ(get_once(daemon->http(), "/").status, 502);
}

TEST_F(ServerNames, AnOutageAtAReloadKeepsTheLastAddresses) {
    answer();
    const auto daemon = start(kApp);
    no_answer();
    daemon->write_config(kResolver + std::string(kOther));
    const auto result = daemon->cli({"-s", "reload"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out.find("its last addresses stay in use"), std::string::npos)
        << result.both();
    EXPECT_EQ(get_once(daemon->http(), "/").body, "app");
}

TEST_F(ServerNames, OneThatResolvesLaterComesUpByItself) {
    no_answer();
    const auto daemon = start(kApp);
    EXPECT_TRUE(daemon->wait_for_log("it is down until the name resolves"));
    EXPECT_EQ(get_once(daemon->http(), "/").status, 502);
    answer();
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").status == 200; }));
    EXPECT_TRUE(daemon->wait_for_log("'app.names.test' resolves now: 127.0.0.1"));
}

// 300 names, none of which gets an answer: one limit for all of them.
TEST_F(ServerNames, AStartAndATestWaitOnceForAllOfThem) {
    std::string yaml = "resolver: { servers: \"@DNS@\", timeout: 500ms }\nupstreams:\n";
    for (int i = 0; i < 300; ++i) {
        const auto name = "n" + std::to_string(i);
        dns_.set(name + ".names.test", DnsEntry::silence());
        yaml += "  " + name + ": \"" + name + ".names.test:80\"\n";
    }
    yaml += "hosts: { \"*\": n0 }\n";
    Marks marks;
    marks.set("DNS", dns_.address());
    const auto before = Clock::now();
    Daemon daemon(yaml, std::move(marks));
    EXPECT_LT(Clock::now() - before, 4s);
    const auto middle = Clock::now();
    const auto test = daemon.cli({"-t"});
    EXPECT_LT(Clock::now() - middle, 4s);
    EXPECT_EQ(test.exit_code, 0);
    EXPECT_NE(test.err.find("warning: 'n299.names.test' cannot be resolved: no answer within "
                            "500 ms"),
              std::string::npos)
        << test.err;
}

}  // namespace
}  // namespace proxyd::test
