// Signals, the pid file, the user.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>

namespace proxyd::test {
namespace {

constexpr auto kOne = "hosts: { app.test: { return: { status: 200, body: one } } }\n";
constexpr auto kTwo = "hosts: { app.test: { return: { status: 200, body: two } } }\n";

TEST(Signals, HupReloads) {
    Daemon daemon(kOne);
    daemon.write_config(kTwo);
    daemon.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return get_once(daemon.http(), "/").body == "two"; }));
}

TEST(Signals, HupWithABadConfigurationChangesNothingAndLogsWhy) {
    Daemon daemon(kOne);
    daemon.write_config("hosts: { app.test: { retrn: 200 } }\n");
    daemon.signal(SIGHUP);
    EXPECT_TRUE(daemon.wait_for_log("unknown key 'retrn'"));
    EXPECT_TRUE(daemon.wait_for_log("proxyd.yaml:1:22"));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "one");
}

TEST(Signals, TermAndIntStopFastWithZero) {
    for (const int number : {SIGTERM, SIGINT}) {
        SCOPED_TRACE(number);
        const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
            Request request;
            if (connection.read_request(request)) connection.wait_for_close();
        });
        Daemon daemon("shutdown_timeout: 60s\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
        RawClient client(daemon.http());
        client.send(get_request("/"));
        ASSERT_TRUE(upstream->wait_for_requests(1));
        const auto start = Clock::now();
        daemon.signal(number);
        EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
        EXPECT_LT(Clock::now() - start, Duration(10'000));
        EXPECT_TRUE(client.read_until_close().closed());
    }
}

TEST(Signals, SecondTermEndsADrainAtOnce) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close(std::chrono::minutes(2));
    });
    Daemon daemon("shutdown_timeout: 60s\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream->wait_for_requests(1));
    daemon.signal(SIGQUIT);
    EXPECT_TRUE(daemon.notify().wait_for("STOPPING=1"));
    daemon.signal(SIGTERM);
    daemon.signal(SIGTERM);
    daemon.wait_exit(Duration(10'000));
}

TEST(Signals, PipeIsIgnored) {
    Daemon daemon(kOne);
    daemon.signal(SIGPIPE);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(daemon.running());
}

TEST(PidFile, HoldsThePidAndGoesAwayAtTheEnd) {
    Daemon daemon(std::string("pid_file: @TMP@/proxyd.pid\n") + kOne);
    const auto path = daemon.directory() / "proxyd.pid";
    EXPECT_EQ(read_file(path), std::to_string(daemon.pid()) + "\n");
    daemon.signal(SIGQUIT);
    EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PidFile, AStartThatFailsLeavesTheOneOfTheLivingProcess) {
    Daemon daemon(std::string("pid_file: @TMP@/proxyd.pid\n") + kOne);
    const auto second = daemon.cli({});
    EXPECT_EQ(second.exit_code, 1);
    EXPECT_NE(second.err.find("Address already in use"), std::string::npos) << second.err;
    EXPECT_EQ(read_file(daemon.directory() / "proxyd.pid"), std::to_string(daemon.pid()) + "\n");
}

TEST(PidFile, IsNotWrittenUnlessAsked) {
    Daemon daemon(kOne);
    for (const auto& entry : std::filesystem::directory_iterator(daemon.directory())) {
        EXPECT_NE(entry.path().extension(), ".pid");
    }
}

TEST(User, RootIsGivenUpKeepingOnlyTheRightToLowPorts) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto* nobody = ::getpwnam("nobody");
    ASSERT_NE(nobody, nullptr);
    Daemon daemon(std::string("user: nobody\nlog: { access: { path: off } }\n") + kOne);
    EXPECT_EQ(daemon.status_value("Uid:"), nobody->pw_uid);
    EXPECT_EQ(daemon.status_value("Gid:"), nobody->pw_gid);
    EXPECT_EQ(daemon.status_value("CapEff:", 16), 1U << 10U);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(User, AnAccessLogThatItCannotWriteIsNamedWithTheRemedy) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const TempDir temp;
    std::filesystem::permissions(temp.path(), std::filesystem::perms(0755));
    const auto log = temp.write("access.log", "");
    std::filesystem::permissions(log, std::filesystem::perms(0640));
    const auto config = temp.write(
        "proxyd.yaml", "user: nobody\ncontrol: off\nlisteners: { http: \"127.0.0.1:0\" }\n"
                       "log: { access: { path: " + log.string() + " } }\n" + kOne);
    const auto result = run_proxyd({"-c", config.string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find("user 'nobody'"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("chown nobody " + log.string()), std::string::npos) << result.err;
}

}  // namespace
}  // namespace proxyd::test
