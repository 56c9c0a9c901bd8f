// Names of servers: a load looks them up beside the traffic, and an outage takes nothing down.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <future>

namespace proxyd::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kLocal = "hosts: { \"*\": { return: { status: 200, body: local } } }\n";
constexpr auto kApp = "hosts: { \"*\": \"http://app.names.test:@UP1@\" }\n";
constexpr auto kOther = "hosts: { \"*\": \"http://app.names.test:@UP1@\", b.test: 3000 }\n";

// A daemon whose name service is a file: "app.names.test 127.0.0.1", or "wait" for no answer yet.
class ServerNames : public ::testing::Test {
  protected:
    void SetUp() override {
#ifdef PROXYD_SANITIZED
        GTEST_SKIP() << "a sanitizer does not let a library stand before it";
#endif
    }

    void answer(const std::string& address) {
        temp_.write("names.new", "app.names.test " + address + "\n");
        std::filesystem::rename(temp_.path() / "names.new", temp_.path() / "names");
    }
    void no_answer() { temp_.write("names", ""); }

    [[nodiscard]] std::unique_ptr<Daemon> start(std::string_view yaml) {
        DaemonOptions options;
        options.env = {{"LD_PRELOAD", PROXYD_TEST_NAMES_LIBRARY},
                       {"PROXYD_TEST_NAMES", (temp_.path() / "names").string()}};
        return std::make_unique<Daemon>(yaml, ups(upstream_), options);
    }

    // `-s reload` that hangs on the name: returns when the daemon waits for the answer.
    [[nodiscard]] std::future<CliResult> begin_reload(Daemon& daemon, std::string_view yaml) {
        answer("wait");
        daemon.write_config(yaml);
        auto result = std::async(std::launch::async, [&] { return daemon.cli({"-s", "reload"}); });
        const auto waiting = temp_.path() / "names.waiting";
        EXPECT_TRUE(eventually([&] { return std::filesystem::remove(waiting); }));
        return result;
    }

    TempDir temp_;
    FakeUpstream upstream_{[](const Request&) { return text_reply("app"); }};
};

TEST_F(ServerNames, ALoadThatWaitsForThemHoldsUpNothing) {
    const auto daemon = start(kLocal);
    auto reload = begin_reload(*daemon, kApp);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "local");
    EXPECT_EQ(daemon->cli({"status"}).exit_code, 0);
    EXPECT_EQ(reload.wait_for(0s), std::future_status::timeout);
    answer("127.0.0.1");
    EXPECT_EQ(reload.get().exit_code, 0);
    EXPECT_EQ(get_once(daemon->http(), "/").body, "app");
}

TEST_F(ServerNames, WhoAsksMeanwhileGetsTheVerdictOnTheNewestFile) {
    const auto daemon = start(kLocal);
    auto first = begin_reload(*daemon, kApp);
    daemon->write_config("hosts: { a.test: { retrn: 200 } }\n");
    std::vector<std::future<CliResult>> later;
    for (int count = 0; count < 3; ++count) {
        later.push_back(
            std::async(std::launch::async, [&] { return daemon->cli({"-s", "reload"}); }));
    }
    daemon->signal(SIGHUP);
    EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
    answer("127.0.0.1");
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
        daemon->signal(number);
        EXPECT_EQ(daemon->wait_exit(Duration(3'000)), (ExitStatus{0, 0}));
        EXPECT_EQ(reload.get().exit_code, 1);
    }
}

TEST_F(ServerNames, OneWithoutAnAnswerInTimeIsAWarning) {
    const auto daemon = start(kLocal);
    auto reload = begin_reload(*daemon, kApp);
    const auto result = reload.get();
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out.find("'app.names.test' cannot be resolved: no answer within 5 s; it is "
                              "down until the name resolves"),
              std::string::npos)
        << result.both();
    EXPECT_EQ(get_once(daemon->http(), "/").status, 502);
}

TEST_F(ServerNames, AnOutageAtAReloadKeepsTheLastAddresses) {
    answer("127.0.0.1");
    const auto daemon = start(kApp);
    no_answer();
    daemon->write_config(kOther);
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
    answer("127.0.0.1");
    EXPECT_TRUE(eventually([&] { return get_once(daemon->http(), "/").status == 200; }));
    EXPECT_TRUE(daemon->wait_for_log("'app.names.test' resolves now"));
}

}  // namespace
}  // namespace proxyd::test
