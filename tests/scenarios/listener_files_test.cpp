// Listening sockets as the operating system sees them: their files, their queue, their addresses.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace proxyd::test {
namespace {

constexpr auto kHosts = "hosts: { \"*\": { return: { status: 200, body: here } } }\n";

std::string listening(const std::string& listeners, const std::string& more = "") {
    return "listeners: { " + listeners + " }\n" + more + kHosts;
}

// The limit of the queue of the socket that listens on `port`; -1 without ss(8).
int queue_limit(std::uint16_t port) {
    std::array<char, 256> line{};
    int limit = -1;
    const std::string command = "ss -Hltn sport = :" + std::to_string(port);
    FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe != nullptr && ::fgets(line.data(), line.size(), pipe) != nullptr) {
        int queued = 0;
        std::string state;
        std::istringstream(line.data()) >> state >> queued >> limit;
    }
    if (pipe != nullptr) ::pclose(pipe);
    return limit;
}

TEST(ListenerFiles, AFileThatIsNoSocketIsLeftAloneAndRefused) {
    Daemon daemon(listening("http: \"127.0.0.1:@HTTP@\""));
    const auto path = daemon.directory() / "plain";
    std::ofstream(path) << "precious";
    daemon.write_config(listening("http: \"127.0.0.1:@HTTP@\", u: \"unix:@TMP@/plain\""));
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"-t"}, {"-s", "reload"}}) {
        const auto result = daemon.cli(verb);
        EXPECT_EQ(result.exit_code, 78);
        EXPECT_NE(result.err.find("proxyd.yaml:1:"), std::string::npos) << result.err;
        EXPECT_NE(result.err.find("is no socket"), std::string::npos) << result.err;
    }
    EXPECT_EQ(read_file(path), "precious");
}

TEST(ListenerFiles, ARefusedReloadLeavesNoSocketBehind) {
    Daemon daemon(listening("http: \"127.0.0.1:@HTTP@\""));
    daemon.write_config(
        listening("http: \"127.0.0.1:@HTTP@\", u: \"unix:@TMP@/left.sock\"",
                  "log: { access: { path: @TMP@/no/such/place.log } }\n"));
    EXPECT_EQ(daemon.cli({"-s", "reload"}).exit_code, 1);
    EXPECT_FALSE(std::filesystem::exists(daemon.directory() / "left.sock"));
}

TEST(ListenerFiles, TheNameGoesWithTheListenerUnlessItIsSomebodyElsesNow) {
    Daemon daemon(listening("http: \"127.0.0.1:@HTTP@\", u: \"unix:@TMP@/u.sock\""));
    const auto path = daemon.directory() / "u.sock";
    EXPECT_TRUE(std::filesystem::is_socket(path));
    std::filesystem::remove(path);
    std::ofstream(path) << "somebody else's";
    daemon.reload(listening("http: \"127.0.0.1:@HTTP@\""));
    EXPECT_EQ(read_file(path), "somebody else's");
}

TEST(ListenerFiles, AChangedBacklogReachesTheOpenSocket) {
    const auto config = [](int backlog) {
        return listening("http: { address: \"127.0.0.1:@HTTP@\", backlog: " +
                         std::to_string(backlog) + " }");
    };
    Daemon daemon(config(17));
    if (queue_limit(daemon.http()) != 17) GTEST_SKIP() << "needs ss";
    daemon.reload(config(23));
    EXPECT_EQ(queue_limit(daemon.http()), 23);
}

TEST(ListenerFiles, AWildcardInPlaceOfAnAddressOfThePortNeedsARestartAndSaysSo) {
    Daemon daemon(listening("http: \"127.0.0.1:@HTTP@\""));
    daemon.write_config(listening("http: \"0.0.0.0:@HTTP@\""));
    const auto result = daemon.cli({"-s", "reload"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find("the running listener 'http' holds 127.0.0.1:"), std::string::npos)
        << result.err;
    EXPECT_NE(result.err.find("needs a restart"), std::string::npos) << result.err;
    EXPECT_EQ(get_once(daemon.http(), "/").body, "here");
}

}  // namespace
}  // namespace proxyd::test
