// Backends as processes: killed under load, restarted one after the other. No client that may be
// asked again sees any of it.
#include "support/child_process.hpp"
#include "support/daemon.hpp"
#include "support/load.hpp"
#include "support/peers.hpp"
#include "support/ports.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

namespace proxyd::test {
namespace {

// A process of its own that answers "ok": the program under test, without upstreams.
class Backend {
  public:
    Backend(const TempDir& temp, std::uint16_t port)
        : port_(port), config_(temp.path() / (std::to_string(port) + ".yaml")) {
        std::ofstream(config_) << "workers: 1\ncontrol: off\nlisteners: { http: \"127.0.0.1:"
                               << port << "\" }\nhosts: { \"*\": { return: { status: 200, body: "
                               << "ok } } }\n";
        start();
    }

    void start() {
        SpawnOptions options;
        options.argv = {binary_path(), "-c", config_.string()};
        options.err = config_.string() + ".err";
        child_ = std::make_unique<ChildProcess>(options);
        ASSERT_TRUE(eventually([&] { return answers(); })) << read_file(options.err);
    }
    void kill(int signal) {
        child_->signal(signal);
        ASSERT_TRUE(child_->wait(kLimit));
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    [[nodiscard]] bool answers() const {
        try {
            RawClient client(port_);
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }

    std::uint16_t port_;
    std::filesystem::path config_;
    std::unique_ptr<ChildProcess> child_;
};

constexpr auto kConfig = R"(
workers: 4
upstreams:
  app:
    servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@", "127.0.0.1:@UP3@"]
    health_check: { path: /, interval: 300ms, timeout: 2s, rise: 1, fall: 2 }
hosts: { "*": app }
)";

class BackendDeath : public ::testing::Test {
  protected:
    BackendDeath()
        : one(temp, claim_port()),
          two(temp, claim_port()),
          three(temp, claim_port()),
          daemon(kConfig, ups(one, two, three)) {}

    static Load::Options clients(int number) {
        Load::Options options;
        options.threads = number;
        options.expected_body = "ok";
        return options;
    }

    TempDir temp;
    Backend one, two, three;
    Daemon daemon;
};

TEST_F(BackendDeath, KilledUnder200ConnectionsNoRequestFails) {
    Load load(daemon.http(), clients(200));
    ASSERT_TRUE(load.wait_for_answers(1'000));
    two.kill(SIGKILL);
    ASSERT_TRUE(eventually([&] { return peer_state(daemon, 1) != "up"; }, Duration(5'000)))
        << "out within one window of failures";
    const int before = load.answered();
    ASSERT_TRUE(load.wait_for_answers(before + 1'000));
    two.start();
    ASSERT_TRUE(wait_for_state(daemon, 1, "up", Duration(5'000))) << "back with one passed check";
    const double requests = peer_of(daemon, 1)["requests"].number();
    ASSERT_TRUE(eventually([&] { return peer_of(daemon, 1)["requests"].number() > requests; }));
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
}

TEST_F(BackendDeath, ARollingRestartFailsNoRequest) {
    Load load(daemon.http(), clients(40));
    std::size_t index = 0;
    for (Backend* backend : {&one, &two, &three}) {
        const int before = load.answered();
        ASSERT_TRUE(load.wait_for_answers(before + 300));
        backend->kill(SIGTERM);
        ASSERT_TRUE(load.wait_for_answers(load.answered() + 300));
        backend->start();
        ASSERT_TRUE(wait_for_state(daemon, index++, "up"));
    }
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
}

// Without checks too: max_fails and the retry do it alone.
TEST(BackendDeathWithoutChecks, NoRequestFails) {
    const TempDir temp;
    Backend one(temp, claim_port()), two(temp, claim_port()), three(temp, claim_port());
    std::string text = kConfig;
    text.erase(text.find("    health_check"), text.find("hosts:") - text.find("    health_check"));
    Daemon daemon(text, ups(one, two, three));
    Load load(daemon.http(), [] {
        Load::Options options;
        options.threads = 50;
        options.expected_body = "ok";
        return options;
    }());
    ASSERT_TRUE(load.wait_for_answers(500));
    three.kill(SIGKILL);
    ASSERT_TRUE(wait_for_state(daemon, 2, "failed", Duration(5'000)));
    ASSERT_TRUE(load.wait_for_answers(load.answered() + 500));
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
}

}  // namespace
}  // namespace proxyd::test
