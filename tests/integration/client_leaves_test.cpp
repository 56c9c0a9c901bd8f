// The client's leaving is noticed within about a second, whatever it sent before and however the
// bytes and the end came together.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr Duration kSoon{1500};

// Takes every request and never answers.
std::unique_ptr<FakeUpstream> silent() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
}

void expect_left(const Daemon& daemon, FakeUpstream& upstream, std::size_t line) {
    const auto start = Clock::now();
    EXPECT_TRUE(eventually([&] { return daemon.access_lines().size() > line; }, kSoon));
    EXPECT_TRUE(upstream.wait_for_open(0, kSoon));
    EXPECT_LT(Clock::now() - start, kSoon + Duration(500));
    if (daemon.access_lines().size() <= line) return;
    EXPECT_EQ(daemon.access(line)["status"].text(), "499");
    EXPECT_EQ(daemon.access(line)["reason"].text(), "client_closed");
}

class ClientLeaves : public ::testing::Test {
  protected:
    // Sends the parts, each when the daemon has dealt with the one before, and leaves.
    void leave_after(const std::vector<std::string>& parts) {
        const auto upstream = silent();
        Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
        RawClient client(daemon.http());
        for (const auto& part : parts) {
            client.send(part);
            EXPECT_TRUE(delivered(client.wire()));
            EXPECT_TRUE(wait_until_idle(daemon));
        }
        ASSERT_TRUE(upstream->wait_for_requests(1));
        ASSERT_TRUE(wait_until_idle(daemon));
        client.close();
        expect_left(daemon, *upstream, 0);
    }

    static std::string head(std::size_t size) {
        return "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n";
    }
};

TEST_F(ClientLeaves, AfterABodyThatCameWithItsHead) {
    for (const std::size_t size : {20'000U, 300'000U, 1'000'000U, 1'048'576U}) {
        SCOPED_TRACE(size);
        leave_after({head(size) + std::string(size, 'x')});
    }
}

TEST_F(ClientLeaves, AfterABodyThatCameBehindItsHead) {
    for (const std::size_t size : {16'384U, 32'768U, 65'536U, 131'072U, 1'048'576U}) {
        SCOPED_TRACE(size);
        leave_after({head(size), std::string(size, 'x')});
    }
}

TEST_F(ClientLeaves, AfterALargeHead) {
    leave_after({get_request("/", "Cookie: " + std::string(10'000, 'x') + "\r\n")});
}

enum class Leaving { Fin, Rst };

// `bytes` and the end of the client come to the daemon in one batch of events, on a connection
// that it had accepted before.
void leave_at_once(const std::string& host, const std::string& bytes, Leaving how) {
    const auto upstream = silent();
    Daemon daemon("workers: 1\nhosts: { \"*\": " + host + " }\n", ups(*upstream));
    for (std::size_t round = 0; round < 3; ++round) {
        EXPECT_TRUE(wait_until_idle(daemon));
        const auto files = daemon.open_files();
        RawClient client(daemon.http());
        ASSERT_TRUE(eventually([&] { return daemon.open_files() > files; }));
        {
            const Frozen frozen(daemon);
            client.send(bytes);
            EXPECT_TRUE(delivered(client.wire()));
            how == Leaving::Fin ? client.close() : client.reset();
        }
        expect_left(daemon, *upstream, round);
        if (::testing::Test::HasFailure()) return;
    }
}

TEST_F(ClientLeaves, InTheSameMomentAsItsGet) {
    leave_at_once("@UP1@", get_request("/"), Leaving::Fin);
}

TEST_F(ClientLeaves, WithAResetInTheSameMomentAsItsGet) {
    leave_at_once("@UP1@", get_request("/"), Leaving::Rst);
}

TEST_F(ClientLeaves, InTheSameMomentAsAPartOfItsUpload) {
    leave_at_once("{ upstream: @UP1@, request_buffering: off }", head(5000) + "part", Leaving::Fin);
}

TEST_F(ClientLeaves, WithAResetInTheSameMomentAsAPartOfItsUpload) {
    leave_at_once("{ upstream: @UP1@, request_buffering: off }", head(5000) + "part", Leaving::Rst);
}

TEST_F(ClientLeaves, WithAResetInTheSameMomentAsAPartOfABufferedUpload) {
    leave_at_once("@UP1@", head(5000) + "part", Leaving::Rst);
}

}  // namespace
}  // namespace proxyd::test
