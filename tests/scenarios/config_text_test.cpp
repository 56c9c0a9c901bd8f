// What `proxyd -t` prints, to the letter.
#include "support/config_check.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(ConfigText, SuccessIsOneLineOnStandardError) {
    const auto verdict = check_config("hosts:\n  app.example.com: 3000\n");
    EXPECT_EQ(verdict.exit_code, 0);
    EXPECT_NE(verdict.text.find("proxyd: configuration file DIR/proxyd.yaml test is successful\n"),
              std::string::npos)
        << verdict.text;
    EXPECT_EQ(verdict.out, "");
}

TEST(ConfigText, UnknownKeyHasPlaceLineCaretAndSuggestion) {
    const auto verdict = check_config(
        "workers: 2\n"
        "\n"
        "listeners:\n"
        "  http: \"127.0.0.1:8080\"\n"
        "hosts:\n"
        "  app.example.com:\n"
        "    upsteam: 3000\n");
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:7:5: error: unknown key 'upsteam' in host "
                                "'app.example.com'\n"
                                "      upsteam: 3000\n"
                                "      ^~~~~~~  did you mean 'upstream'?\n"),
              std::string::npos)
        << verdict.text;
    EXPECT_EQ(verdict.text.find("successful"), std::string::npos);
}

TEST(ConfigText, TopLevelTypoIsSuggestedToo) {
    const auto verdict = check_config("hots:\n  app.test: 3000\n");
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:1:1: error: unknown key 'hots'"),
              std::string::npos)
        << verdict.text;
    EXPECT_NE(verdict.text.find("\n  hots:\n  ^~~~  did you mean 'hosts'?\n"), std::string::npos)
        << verdict.text;
}

TEST(ConfigText, AKeyLikeNoOtherHasNoSuggestion) {
    const auto verdict = check_config("hosts:\n  app.test: { upstream: 3000, zzzzqqqq: 1 }\n");
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:2:31: error: unknown key 'zzzzqqqq'"),
              std::string::npos)
        << verdict.text;
    EXPECT_EQ(verdict.text.find("did you mean"), std::string::npos) << verdict.text;
}

TEST(ConfigText, AllErrorsComeInOneRunInFileOrder) {
    const auto verdict = check_config(
        "wrokers: 2\n"
        "shutdown_timeout: soon\n"
        "upstreams:\n"
        "  app: { balanse: round_robin, servers: [3000] }\n"
        "hosts:\n"
        "  a.test: { upstream: nowhere }\n"
        "  b.test:\n"
        "    upstream: 3000\n"
        "    max_body_size: much\n"
        "    locations:\n"
        "      /: { methds: [GET] }\n");
    EXPECT_EQ(verdict.exit_code, 78);
    std::size_t at = 0;
    for (const auto* place : {"DIR/proxyd.yaml:1:1: error: ", "DIR/proxyd.yaml:2:19: error: ",
                              "DIR/proxyd.yaml:4:10: error: ", "DIR/proxyd.yaml:6:23: error: ",
                              "DIR/proxyd.yaml:9:20: error: ", "DIR/proxyd.yaml:11:12: error: "}) {
        const auto found = verdict.text.find(place);
        EXPECT_NE(found, std::string::npos) << place << " is missing in\n" << verdict.text;
        if (found != std::string::npos) {
            EXPECT_GE(found, at) << place;
            at = found;
        }
    }
}

TEST(ConfigText, EveryErrorShowsItsLine) {
    const auto verdict = check_config(
        "hosts:\n"
        "  a.test: { upstream: 3000, max_body_size: much }\n");
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:2:44: error: "), std::string::npos)
        << verdict.text;
    EXPECT_NE(verdict.text.find("\n    a.test: { upstream: 3000, max_body_size: much }\n" +
                                std::string(45, ' ') + "^~~~"),
              std::string::npos)
        << verdict.text;
}

TEST(ConfigText, QuietSaysNothingOnSuccessAndStillReportsErrors) {
    ConfigFiles files;
    files.arguments = {"-t", "-q"};
    const auto good = check_config("hosts: { a.test: 3000 }\n", files);
    EXPECT_EQ(good.exit_code, 0);
    EXPECT_EQ(good.text, "");
    EXPECT_EQ(good.out, "");
    const auto bad = check_config("hots: { a.test: 3000 }\n", files);
    EXPECT_EQ(bad.exit_code, 78);
    EXPECT_NE(bad.text.find("unknown key 'hots'"), std::string::npos);
}

TEST(ConfigText, MissingFileIsAnErrorThatNamesIt) {
    const auto result = run_proxyd({"-t", "-c", "nowhere.yaml"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.err.find("nowhere.yaml"), std::string::npos);
}

TEST(ConfigText, NoSideEffectsAndNoRootNeeded) {
    ConfigFiles files;
    files.as_nobody = true;
    const auto verdict = check_config(
        "pid_file: @TMP@/p.pid\n"
        "control: @TMP@/c.sock\n"
        "user: root\n"
        "log:\n"
        "  error: { path: @TMP@/e.log }\n"
        "  access: { path: @TMP@/logs/a.log }\n"
        "listeners: { http: \":80\", u: \"unix:@TMP@/l.sock\" }\n"
        "hosts: { a.test: 3000 }\n",
        files);
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    EXPECT_EQ(verdict.left_behind, std::vector<std::string>{});
}

TEST(ConfigText, AUserThatDoesNotExistHereIsAWarning) {
    const auto verdict = check_config(
        "user: no-such-user\n"
        "hosts: { a.test: 3000 }\n");
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml: warning: user 'no-such-user' does not exist"),
              std::string::npos)
        << verdict.text;
    const auto group = check_config(
        "user: root\n"
        "group: no-such-group\n"
        "hosts: { a.test: 3000 }\n");
    EXPECT_NE(group.text.find("warning: group 'no-such-group' does not exist"), std::string::npos)
        << group.text;
}

TEST(ConfigText, UnresolvableServerIsAWarning) {
    const auto verdict = check_config(
        "upstreams:\n"
        "  app: { servers: [{ address: \"no-such-name.invalid:80\" }] }\n"
        "hosts: { a.test: app }\n");
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
    EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:2:31: warning: 'no-such-name.invalid' cannot be "
                                "resolved: "),
              std::string::npos)
        << verdict.text;
    EXPECT_NE(verdict.text.find("successful"), std::string::npos);
}

}  // namespace
}  // namespace proxyd::test
