// The stock gRPC library on both sides of the proxy.
#include "support/child_process.hpp"
#include "support/daemon.hpp"
#include "support/h2_upstream.hpp"
#include "support/ports.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace proxyd::test {
namespace {

// That of the distribution, for which the package is.
constexpr auto kPython = "/usr/bin/python3";

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

SpawnOptions script(const TempDir& temp, const std::string& name,
                    std::vector<std::string> arguments) {
    SpawnOptions options;
    options.argv = {kPython, PROXYD_SOURCE_DIR "/tests/support/grpc_peer.py"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.out = temp.path() / (name + ".out");
    options.err = temp.path() / (name + ".err");
    return options;
}

class Grpc : public ::testing::Test {
  protected:
    void SetUp() override {
        SpawnOptions probe;
        probe.argv = {kPython, "-c", "import grpc"};
        probe.err = temp.path() / "probe.err";
        const auto ended = ChildProcess(probe).wait(kLimit);
        if (!ended || ended->code != 0) GTEST_SKIP() << "python3-grpcio is not installed";
    }

    static std::string config(const std::string& more = "") {
        return "workers: 1\nlisteners: { http: { address: \"127.0.0.1:@HTTP@\", http2: true } }\n"
               "upstreams: { app: { servers: [@UP@], http2: true" +
               more + " } }\nhosts: { \"*\": app }\n";
    }

    void check(std::uint16_t port, std::vector<std::string> checks) {
        std::vector<std::string> arguments{"client", std::to_string(port)};
        arguments.insert(arguments.end(), checks.begin(), checks.end());
        ChildProcess client(script(temp, "client", arguments));
        const auto ended = client.wait(Duration(60'000));
        EXPECT_TRUE(ended && ended->code == 0) << text_of(temp.path() / "client.err");
        std::string expected;
        for (const auto& each : checks) expected += "ok " + each + "\n";
        EXPECT_EQ(text_of(temp.path() / "client.out"), expected);
    }

    TempDir temp;
};

TEST_F(Grpc, CallsOfEveryKind) {
    const std::uint16_t port = claim_port();
    const ChildProcess server(script(temp, "server", {"server", std::to_string(port)}));
    ASSERT_TRUE(eventually([&] { return text_of(temp.path() / "server.out") == "ready\n"; }))
        << text_of(temp.path() / "server.err");
    Marks marks;
    marks.set("UP", std::to_string(port));
    Daemon daemon(config(), marks);
    check(daemon.http(), {"unary", "large", "many", "server_stream", "client_stream", "bidi",
                          "fail", "unknown", "deadline", "cancel"});
}

TEST_F(Grpc, AServerThatIsDownIsUnavailable) {
    Marks marks;
    marks.set("UP", std::to_string(claim_port()));
    Daemon daemon(config(), marks);
    check(daemon.http(), {"down"});
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_refused");
}

TEST_F(Grpc, AServerThatIsTooSlowIsADeadline) {
    H2Upstream upstream([](const H2Request&) {
        H2Reply reply;
        reply.no_answer = true;
        return reply;
    });
    Marks marks;
    marks.set("UP", std::to_string(upstream.port()));
    Daemon daemon(config(", timeouts: { read: 300ms }, retry: off"), marks);
    check(daemon.http(), {"late"});
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_timeout_read");
}

}  // namespace
}  // namespace proxyd::test
