// An upstream that closes a pooled connection in the moment it is wanted again: the event of the
// old connection says nothing about the new one.
#include "support/frozen.hpp"
#include "support/ports.hpp"
#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace proxyd::test {
namespace {

// A listener whose connections are accepted one by one, by hand.
class HandListener {
  public:
    HandListener() : port_(claim_port()), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        address_.sin_family = AF_INET;
        address_.sin_port = htons(port_);
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
        ::listen(fd_, 0);
    }
    ~HandListener() { close(); }
    HandListener(const HandListener&) = delete;
    HandListener& operator=(const HandListener&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

    Wire accept() const {
        pollfd entry{fd_, POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(kLimit.count()));
        return Wire(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    }

    // Fills the queue: from now on a connect gets no answer.
    void fill() {
        for (int count = 0; count < 4; ++count) {
            auto& wire = clients_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            ::connect(wire.fd(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
        }
    }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    std::uint16_t port_;
    int fd_;
    sockaddr_in address_{};
    std::vector<Wire> clients_;
};

const std::string kPost = "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n";

// One answered GET; the connection to the upstream is idle in the pool afterwards.
Wire answer_one(const HandListener& listener, RawClient& client) {
    client.send(get_request("/"));
    auto wire = listener.accept();
    Request request;
    EXPECT_TRUE(read_request_head(wire, request));
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    EXPECT_EQ(client.read_response().body, "good");
    return wire;
}

TEST(ConnectEvent, CloseOfTheOldConnectionIsNoConnect) {
    HandListener listener;
    Daemon daemon(R"(
workers: 1
upstreams:
  app: { servers: ["127.0.0.1:@UP1@"], timeouts: { connect: 300ms, send: 4s, read: 4s } }
hosts: { "*": app }
)",
                  ups(listener));
    RawClient client(daemon.http());
    auto pooled = answer_one(listener, client);
    listener.fill();
    const auto start = Clock::now();
    {
        const Frozen frozen(daemon);
        client.send(kPost);
        EXPECT_TRUE(delivered(client.wire()));
        pooled.close();
    }
    EXPECT_EQ(client.read_response("POST").status, 504);
    EXPECT_LT(Clock::now() - start, Duration(2000));
    EXPECT_EQ(daemon.access(1)["reason"].text(), "upstream_timeout_connect");
}

TEST(ConnectEvent, RequestThatWasNeverSentGoesToTheNextServer) {
    HandListener listener;
    FakeUpstream spare([](const Request&) { return text_reply("spare"); });
    Daemon daemon(R"(
workers: 1
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@UP1@", max_fails: 0 }
      - { address: "127.0.0.1:@UP2@", backup: true }
hosts: { "*": app }
)",
                  ups(listener, spare));
    RawClient client(daemon.http());
    auto pooled = answer_one(listener, client);
    {
        const Frozen frozen(daemon);
        client.send(kPost);
        EXPECT_TRUE(delivered(client.wire()));
        pooled.close();
        listener.close();
    }
    EXPECT_EQ(client.read_response("POST").body, "spare");
    EXPECT_EQ(spare.request_count(), 1);
}

}  // namespace
}  // namespace proxyd::test
