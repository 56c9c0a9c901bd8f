// The command line: options, exit codes, -s over the control socket.
#include "support/config_check.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <csignal>

namespace proxyd::test {
namespace {

constexpr auto kConfig = "hosts: { app.test: { return: { status: 200, body: one } } }\n";
constexpr auto kOther = "hosts: { app.test: { return: { status: 200, body: two } } }\n";
constexpr auto kBroken = "hosts: { app.test: { retrn: 200 } }\n";

TEST(Cli, VersionIsShortOrLong) {
    const auto brief = run_proxyd({"-v"});
    EXPECT_EQ(brief.exit_code, 0);
    EXPECT_NE(brief.both().find("proxyd"), std::string::npos);
    const auto has_digit = [](const std::string& text) {
        return std::ranges::any_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
    };
    EXPECT_TRUE(has_digit(brief.both()));
    const auto full = run_proxyd({"-V"});
    EXPECT_EQ(full.exit_code, 0);
    for (const auto* word : {"proxyd", "Boost", "llhttp", "RE2", "build: " PROXYD_BUILD_TYPE}) {
        EXPECT_NE(to_lower(full.both()).find(to_lower(word)), std::string::npos) << word;
    }
}

TEST(Cli, HelpNamesEveryOption) {
    const auto help = run_proxyd({"-h"});
    EXPECT_EQ(help.exit_code, 0);
    for (const auto* word : {"-t", "-T", "-q", "-c", "-s", "-v", "-V", "-e", "-g", "run", "demo",
                             "reverse-proxy", "status"}) {
        EXPECT_NE(help.both().find(word), std::string::npos) << word;
    }
}

TEST(Cli, UsageErrorsExitWith2) {
    const std::vector<std::vector<std::string>> rows = {
        {"--no-such-option"}, {"-Z"}, {"no-such-verb"},  {"-s"},
        {"-s", "dance"},      {"-c"}, {"-t", "surplus"}, {"reverse-proxy"}};
    for (const auto& arguments : rows) {
        SCOPED_TRACE(arguments.front());
        const auto result = run_proxyd(arguments);
        EXPECT_EQ(result.exit_code, 2) << result.both();
        EXPECT_NE(result.err, "");
    }
}

TEST(Cli, RefusedConfigurationExitsWith78) {
    for (const auto& arguments : {std::vector<std::string>{"-t"}, {"-T"}, {}, {"run"}}) {
        ConfigFiles files;
        files.arguments = arguments;
        const auto verdict = check_config(kBroken, files);
        EXPECT_EQ(verdict.exit_code, 78);
        EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:1:22: error: unknown key 'retrn'"),
                  std::string::npos)
            << verdict.text;
    }
}

TEST(Cli, StartThatCannotListenExitsWith1AndNamesTheAddress) {
    FakeUpstream holder;
    ConfigFiles files;
    files.arguments = {};
    const auto address = "127.0.0.1:" + std::to_string(holder.port());
    const auto verdict = check_config(
        "control: @TMP@/c.sock\nlisteners: { http: \"" + address + "\" }\n" + kConfig, files);
    EXPECT_EQ(verdict.exit_code, 1) << verdict.text;
    EXPECT_NE(verdict.text.find(address), std::string::npos) << verdict.text;
}

TEST(Cli, RunIsTheDefaultVerb) {
    FakeUpstream upstream;
    const TempDir temp;
    Marks marks{{"TMP", temp.path().string()}};
    const auto path = temp.write("p.yaml", marks.apply("control: @TMP@/c.sock\nlisteners: { http: "
                                                       "\"127.0.0.1:@HTTP@\" }\n" +
                                                       std::string(kConfig)));
    SpawnOptions spawn;
    spawn.argv = {binary_path(), "run", "-c", path.string()};
    spawn.err = temp.path() / "err";
    ChildProcess child(spawn);
    const auto port = static_cast<std::uint16_t>(std::stoi(marks.value("HTTP")));
    EXPECT_TRUE(eventually([&] {
        try {
            return get_once(port, "/").status == 200;
        } catch (const std::runtime_error&) {
            return false;
        }
    }));
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(kLimit), (ExitStatus{0, 0}));
}

TEST(Control, ReloadTakesTheNewConfiguration) {
    Daemon daemon(kConfig);
    EXPECT_EQ(get_once(daemon.http(), "/").body, "one");
    daemon.write_config(kOther);
    const auto result = daemon.cli({"-s", "reload"});
    EXPECT_EQ(result.exit_code, 0) << result.both();
    // It waited: the answer is the new one at once.
    EXPECT_EQ(get_once(daemon.http(), "/").body, "two");
}

TEST(Control, RefusedReloadTellsTheErrorsAndChangesNothing) {
    Daemon daemon(kConfig);
    daemon.write_config(kBroken);
    const auto result = daemon.cli({"-s", "reload"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.both().find("proxyd.yaml:1:22: error: unknown key 'retrn'"), std::string::npos)
        << result.both();
    EXPECT_NE(result.both().find("did you mean 'return'?"), std::string::npos) << result.both();
    EXPECT_EQ(get_once(daemon.http(), "/").body, "one");
    daemon.reload(kOther);
    EXPECT_EQ(get_once(daemon.http(), "/").body, "two");
}

TEST(Control, ReloadThatCannotListenIsRefused) {
    FakeUpstream holder;
    Daemon daemon(kConfig, ups(holder));
    daemon.write_config(std::string("listeners: { http: \"127.0.0.1:@HTTP@\", more: "
                                    "\"127.0.0.1:@UP1@\" }\n") +
                        kOther);
    const auto result = daemon.cli({"-s", "reload"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.both().find(std::to_string(holder.port())), std::string::npos);
    EXPECT_EQ(get_once(daemon.http(), "/").body, "one");
}

TEST(Control, ChangesThatNeedARestartAreRefused) {
    for (const std::string line : {"workers: 2\n", "pid_file: @TMP@/new.pid\n",
                                   "control: @TMP@/other.sock\n", "user: nobody\n"}) {
        SCOPED_TRACE(line);
        Daemon daemon(kConfig);
        // The command is sent to the socket that the running daemon owns.
        daemon.write_config(line + kOther);
        if (line.starts_with("control")) {
            daemon.signal(SIGHUP);
            EXPECT_TRUE(daemon.wait_for_log("needs a restart"));
        } else {
            const auto result = daemon.cli({"-s", "reload"});
            EXPECT_NE(result.exit_code, 0);
            EXPECT_NE(result.both().find("needs a restart"), std::string::npos) << result.both();
        }
        EXPECT_EQ(get_once(daemon.http(), "/").body, "one");
    }
}

TEST(Control, QuitAndStopEndTheDaemonWithZero) {
    for (const std::string command : {"quit", "stop"}) {
        SCOPED_TRACE(command);
        Daemon daemon(kConfig);
        EXPECT_EQ(daemon.cli({"-s", command}).exit_code, 0);
        EXPECT_EQ(daemon.wait_exit(), (ExitStatus{0, 0}));
    }
}

TEST(Control, ReopenSucceeds) {
    Daemon daemon(kConfig);
    EXPECT_EQ(daemon.cli({"-s", "reopen"}).exit_code, 0);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(Control, WithoutADaemonExitsWith1) {
    for (const auto& arguments :
         {std::vector<std::string>{"-s", "reload"}, {"-s", "quit"}, {"status"}}) {
        ConfigFiles files;
        files.arguments = arguments;
        const auto verdict =
            check_config(std::string("control: @TMP@/none.sock\n") + kConfig, files);
        EXPECT_EQ(verdict.exit_code, 1) << verdict.text;
        EXPECT_NE(verdict.text.find("'control'"), std::string::npos) << verdict.text;
    }
}

TEST(Control, SocketIsForOwnerAndGroupOnly) {
    Daemon daemon(kConfig);
    const auto status = std::filesystem::status(daemon.directory() / "control.sock");
    EXPECT_EQ(status.type(), std::filesystem::file_type::socket);
    EXPECT_EQ(static_cast<unsigned>(status.permissions()), 0660U);
}

TEST(Control, DeadSocketIsReplacedAndALivingOneIsLeftAlone) {
    const TempDir temp;
    Marks marks{{"C", (temp.path() / "c.sock").string()}};
    const auto config = std::string("control: @C@\n") + kConfig;
    {
        Daemon killed(config, marks);
        killed.signal(SIGKILL);
        killed.wait_exit();
    }
    Daemon first(config, marks);
    EXPECT_EQ(first.cli({"status"}).exit_code, 0);
    // A second one warns and runs without; commands still reach the first.
    Daemon second(config, marks);
    EXPECT_EQ(get_once(second.http(), "/").status, 200);
    EXPECT_EQ(first.cli({"-s", "stop"}).exit_code, 0);
    EXPECT_EQ(first.wait_exit(), (ExitStatus{0, 0}));
    EXPECT_EQ(get_once(second.http(), "/").status, 200);
}

TEST(Control, SocketThatCannotBeCreatedIsAWarning) {
    Daemon daemon(std::string("control: /proc/nowhere/control.sock\n") + kConfig);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_TRUE(daemon.wait_for_log("/proc/nowhere/control.sock"));
}

TEST(Options, ErrorLogGoesToTheGivenFile) {
    const TempDir temp;
    DaemonOptions options;
    options.arguments = {"-e", (temp.path() / "err.log").string()};
    Daemon daemon("hosts: { app.test: @DEAD@ }\n", {}, options);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_TRUE(eventually([&] {
        return read_file(temp.path() / "err.log").find(daemon.marks().value("DEAD")) !=
               std::string::npos;
    }));
}

}  // namespace
}  // namespace proxyd::test
