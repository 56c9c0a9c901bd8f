// The verbs that need no configuration file: demo and reverse-proxy.
#include "support/daemon.hpp"
#include "support/ports.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace proxyd::test {
namespace {

bool answers(std::uint16_t port) {
    try {
        RawClient client(port);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

TEST(Demo, OnceShowsWhatIsBuiltAndEndsWithZero) {
    if (answers(8080)) GTEST_SKIP() << "somebody listens on 127.0.0.1:8080";
    CliOptions options;
    options.limit = std::chrono::minutes(1);
    const auto result = run_proxyd({"demo", "--once"}, options);
    EXPECT_EQ(result.exit_code, 0) << result.both();
    EXPECT_NE(result.out.find("X-Forwarded-For"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("101"), std::string::npos) << result.out;
}

TEST(Demo, TakesAnotherPortWhenItsOwnIsTaken) {
    if (answers(8080)) GTEST_SKIP() << "somebody listens on 127.0.0.1:8080";
    FakeUpstream::Options options;
    options.port = 8080;
    FakeUpstream holder([](const Request&) { return text_reply("not the demo"); }, options);
    CliOptions limits;
    limits.limit = std::chrono::minutes(1);
    const auto result = run_proxyd({"demo", "--once"}, limits);
    EXPECT_EQ(result.exit_code, 0) << result.both();
    EXPECT_EQ(result.out.find("127.0.0.1:8080"), std::string::npos) << result.out;
    EXPECT_TRUE(holder.requests().empty());
}

TEST(ReverseProxy, GoesFromAnAddressToAPort) {
    FakeUpstream upstream;
    const auto port = claim_port();
    const TempDir temp;
    SpawnOptions spawn;
    spawn.argv = {binary_path(), "reverse-proxy",
                  "--from",      "127.0.0.1:" + std::to_string(port),
                  "--to",        std::to_string(upstream.port())};
    spawn.directory = temp.path();
    spawn.err = temp.path() / "err";
    spawn.out = temp.path() / "out";
    ChildProcess child(spawn);
    ASSERT_TRUE(eventually([&] { return answers(port) || !child.running(); }));
    ASSERT_TRUE(child.running()) << read_file(spawn.err);
    EXPECT_EQ(get_once(port, "/x", "", "any.host").status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("Host"), "any.host");
    EXPECT_TRUE(eventually(
        [&] { return read_file(spawn.out).find("\"GET /x HTTP/1.1\" 200") != std::string::npos; }))
        << read_file(spawn.out);
    child.signal(SIGQUIT);
    EXPECT_EQ(child.wait(kLimit), (ExitStatus{0, 0}));
}

TEST(ReverseProxy, TakesAPortOnBothSides) {
    FakeUpstream upstream;
    const auto port = claim_port();
    const TempDir temp;
    SpawnOptions spawn;
    spawn.argv = {binary_path(), "reverse-proxy",
                  "--from",      ":" + std::to_string(port),
                  "--to",        "127.0.0.1:" + std::to_string(upstream.port())};
    spawn.directory = temp.path();
    spawn.err = temp.path() / "err";
    ChildProcess child(spawn);
    ASSERT_TRUE(eventually([&] { return answers(port) || !child.running(); }));
    ASSERT_TRUE(child.running()) << read_file(spawn.err);
    EXPECT_EQ(get_once(port, "/x").status, 200);
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(kLimit), (ExitStatus{0, 0}));
}

}  // namespace
}  // namespace proxyd::test
