// Time limits towards the upstream: 504 with a reason that names the one that fired.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace proxyd::test {
namespace {

std::unique_ptr<FakeUpstream> silent() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
}

TEST(UpstreamTimeout, NoAnswerIs504) {
    const auto upstream = silent();
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { read: 300ms } } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    const auto start = Clock::now();
    const auto response = client.get("/");
    EXPECT_EQ(response.status, 504);
    EXPECT_GE(Clock::now() - start, Duration(250));
    EXPECT_LT(Clock::now() - start, Duration(5000));
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_timeout_read");
    // The log and the page name the key that fired.
    EXPECT_TRUE(daemon.wait_for_log("timeouts.read"));
    EXPECT_NE(response.body.find("timeouts.read"), std::string::npos) << response.body;
    EXPECT_TRUE(upstream->wait_for_aborted(1));
    EXPECT_EQ(client.get("/").status, 504);
}

TEST(UpstreamTimeout, SlowHeadIs504) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-");
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { read: 300ms } } }\n",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
}

TEST(UpstreamTimeout, SilenceInTheBodyCutsTheClient) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        connection.wait_for_close();
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { read: 300ms } } }\n",
                  ups(*upstream));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_TRUE(!response.complete() || response.status == 504) << response.end;
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_timeout_read");
}

TEST(UpstreamTimeout, BytesStartTheReadTimeAgain) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        connection.drip("0123456789", Duration(100));
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { read: 600ms } } }\n",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "0123456789");
}

TEST(UpstreamTimeout, TotalEndsEvenAnAnswerThatDrips) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        connection.drip(std::string(1000, 'x'), Duration(50));
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { total: 500ms } } }\n",
                  ups(*upstream));
    const auto start = Clock::now();
    const auto response = get_once(daemon.http(), "/");
    EXPECT_FALSE(response.complete() && response.status == 200);
    EXPECT_LT(Clock::now() - start, Duration(5000));
}

TEST(UpstreamTimeout, TotalBeforeAnAnswerIs504) {
    const auto upstream = silent();
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { total: 300ms } } }\n",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
    EXPECT_TRUE(upstream->wait_for_aborted(1));
}

TEST(UpstreamTimeout, UpstreamThatDoesNotTakeTheBodyIs504) {
    Gate done;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (connection.read_head(request)) static_cast<void>(done.wait());
    });
    Daemon daemon(
        "hosts: { \"*\": { upstream: @UP1@, request_buffering: off, "
        "timeouts: { send: 300ms, read: 20s } } }\n",
        ups(*upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000000\r\n\r\n");
    client.try_send(std::string(40U << 20U, 'x'), Duration(3000));
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 504) << response.end;
    EXPECT_EQ(daemon.access(0)["status"].text(), "504");
    done.open();
}

// A listener that never accepts and whose queue is full: a connect gets no answer.
class FullListener {
  public:
    FullListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address_;
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address_), size);
        ::listen(fd_, 0);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &size);
        for (int count = 0; count < 4; ++count) {
            const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            ::connect(client, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
            clients_.push_back(client);
        }
    }
    ~FullListener() {
        for (const int client : clients_) ::close(client);
        ::close(fd_);
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;

    [[nodiscard]] std::uint16_t port() const { return ntohs(address_.sin_port); }

  private:
    int fd_;
    sockaddr_in address_{};
    std::vector<int> clients_;
};

TEST(UpstreamTimeout, ConnectThatGetsNoAnswerIs504) {
    const FullListener full;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, timeouts: { connect: 300ms } } }\n",
                  ups(full));
    const auto start = Clock::now();
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
    EXPECT_LT(Clock::now() - start, Duration(5000));
    EXPECT_NE(daemon.access(0)["reason"].text().find("timeout"), std::string::npos);
    EXPECT_TRUE(daemon.wait_for_log("timeouts.connect"));
}

TEST(UpstreamTimeout, LocationBeatsHostBeatsDefaultsBeatsUpstream) {
    const auto upstream = silent();
    Daemon daemon(R"(
defaults: { timeouts: { read: 20s } }
upstreams:
  app: { servers: ["127.0.0.1:@UP1@"], timeouts: { read: 30s } }
hosts:
  host.test: { upstream: app, timeouts: { read: 200ms } }
  location.test:
    upstream: app
    timeouts: { read: 20s }
    locations:
      /: { timeouts: { read: 200ms } }
)",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "", "host.test").status, 504);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "location.test").status, 504);
}

TEST(UpstreamTimeout, TheUpstreamsOwnTimeCountsWhereNoLevelSetsOne) {
    const auto upstream = silent();
    Daemon daemon(R"(
upstreams:
  app: { servers: ["127.0.0.1:@UP1@"], timeouts: { read: 200ms } }
hosts:
  "*": app
)",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
}

TEST(UpstreamFault, ResetBeforeTheHeadIs502WithItsReason) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.reset();
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_reset");
}

}  // namespace
}  // namespace proxyd::test
