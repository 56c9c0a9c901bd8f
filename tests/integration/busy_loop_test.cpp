// Many events at once: what they make us send is collected, and still nothing is lost or mixed up.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(workers: 1
upstreams: { app: { servers: ["127.0.0.1:@UP1@"], keepalive: 200 } }
hosts: { "*": app }
)";
constexpr int kClients = 100;

// All requests come to the daemon at once, and then all answers.
class BusyLoop : public ::testing::Test {
  protected:
    std::string body_of(std::string_view target) const {
        return std::string(body_bytes_, 'a') + std::string(target);
    }

    void round(std::size_t body_bytes, std::string_view fields) {
        body_bytes_ = body_bytes;
        asked_.change([](int& count) { count = 0; });
        answered_.change([](int& count) { count = 0; });
        may_answer_.change([](int& rounds) { ++rounds; });
        ++round_;
        {
            const Frozen frozen(daemon_);
            for (int i = 0; i < kClients; ++i) {
                clients_[i]->send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n" +
                                  std::string(fields) + "\r\n");
            }
        }
        ASSERT_TRUE(asked_.wait([](int count) { return count == kClients; }));
        {
            const Frozen frozen(daemon_);
            open_.change([this](int& rounds) { rounds = round_; });
            ASSERT_TRUE(answered_.wait([](int count) { return count == kClients; }));
        }
        for (int i = 0; i < kClients; ++i) {
            const Response response = clients_[i]->read_response();
            ASSERT_TRUE(response.complete()) << i;
            ASSERT_EQ(response.body, body_of("/" + std::to_string(i)));
        }
    }

    void SetUp() override {
        for (int i = 0; i < kClients; ++i) {
            clients_.push_back(std::make_unique<RawClient>(daemon_.http()));
        }
    }

    std::size_t body_bytes_ = 0;
    int round_ = 0;
    Watched<int> asked_, answered_, may_answer_, open_;
    std::unique_ptr<FakeUpstream> upstream_ =
        FakeUpstream::scripted([this](UpstreamConnection& connection) {
            Request request;
            while (connection.read_request(request)) {
                const int round = may_answer_.get();
                asked_.change([](int& count) { ++count; });
                if (!open_.wait([round](int rounds) { return rounds >= round; })) return;
                connection.reply(text_reply(body_of(request.target)));
                answered_.change([](int& count) { ++count; });
            }
        });
    Daemon daemon_{kConfig, ups(*upstream_)};
    std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(BusyLoop, EveryoneGetsTheirAnswer) {
    for (const std::size_t bytes : {100U, 100U, 100U, 3'900U, 8'000U, 100U}) {
        SCOPED_TRACE(bytes);
        ASSERT_NO_FATAL_FAILURE(round(bytes, ""));
    }
}

TEST_F(BusyLoop, AnAnswerBeforeTheEndOfTheConnectionArrivesWhole) {
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(round(100, ""));
    ASSERT_NO_FATAL_FAILURE(round(100, "Connection: close\r\n"));
    for (auto& client : clients_) EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(BusyLoop, ClientsThatLeaveTakeNobodyWithThem) {
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(round(100, ""));
    ++round_;
    may_answer_.change([](int& rounds) { ++rounds; });
    asked_.change([](int& count) { count = 0; });
    answered_.change([](int& count) { count = 0; });
    for (int i = 0; i < kClients; ++i) clients_[i]->send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(asked_.wait([](int count) { return count == kClients; }));
    {
        const Frozen frozen(daemon_);
        open_.change([this](int& rounds) { rounds = round_; });
        ASSERT_TRUE(answered_.wait([](int count) { return count == kClients; }));
        for (int i = 0; i < kClients; i += 2) clients_[i]->reset();
    }
    for (int i = 1; i < kClients; i += 2) {
        EXPECT_EQ(clients_[i]->read_response().body, body_of("/x"));
    }
}

}  // namespace
}  // namespace proxyd::test
