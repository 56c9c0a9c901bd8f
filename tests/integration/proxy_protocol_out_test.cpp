// proxy_protocol towards the servers: the first bytes of each connection name its one client.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <mutex>

namespace proxyd::test {
namespace {

// Takes `size` bytes, or a line, off the front of a connection; then serves it.
struct Backend {
    explicit Backend(std::size_t size = 0)
        : upstream(FakeUpstream::scripted([this, size](UpstreamConnection& connection) {
              Wire& wire = connection.wire();
              const auto whole = [&] {
                  return size != 0 ? wire.view().size() >= size
                                   : wire.view().find('\n') != std::string_view::npos;
              };
              while (!whole()) {
                  if (wire.fill(Deadline(kLimit)) != IoStatus::Ok) return;
              }
              const std::size_t end = size != 0 ? size : wire.view().find('\n') + 1;
              {
                  const std::lock_guard lock(mutex);
                  headers.emplace_back(wire.view().substr(0, end));
              }
              wire.consume(end);
              Request request;
              while (connection.read_request(request)) connection.reply(text_reply("ok"));
          })) {}

    std::vector<std::string> seen() {
        const std::lock_guard lock(mutex);
        return headers;
    }

    std::mutex mutex;
    std::vector<std::string> headers;
    std::unique_ptr<FakeUpstream> upstream;
};

std::string config(const std::string& version, const std::string& more = "") {
    return "workers: 1\n" + more +
           "upstreams: { app: { servers: [@UP1@], proxy_protocol: " + version +
           " } }\nhosts: { \"*\": app }\n";
}

std::string line_of(const RawClient& client, std::uint16_t port) {
    return "PROXY TCP4 127.0.0.1 127.0.0.1 " + std::to_string(client.local_port()) + " " +
           std::to_string(port) + "\r\n";
}

TEST(ProxyProtocolOut, VersionOne) {
    Backend backend;
    Daemon daemon(config("v1"), ups(*backend.upstream));
    RawClient first(daemon.http()), second(daemon.http());
    EXPECT_EQ(first.get("/").body, "ok");
    EXPECT_EQ(first.get("/").body, "ok");
    EXPECT_EQ(second.get("/").body, "ok");
    EXPECT_EQ(first.get("/").body, "ok");
    // A connection is kept, and only for its own client.
    EXPECT_EQ(backend.seen(), (std::vector<std::string>{line_of(first, daemon.http()),
                                                        line_of(second, daemon.http())}));
}

TEST(ProxyProtocolOut, VersionTwo) {
    Backend backend(28);
    Daemon daemon(config("v2"), ups(*backend.upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").body, "ok");
    std::string wanted("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01", 24);
    for (const std::uint16_t port : {client.local_port(), daemon.http()}) {
        wanted += static_cast<char>(port >> 8U);
        wanted += static_cast<char>(port & 0xffU);
    }
    EXPECT_EQ(backend.seen(), std::vector<std::string>{wanted});
}

TEST(ProxyProtocolOut, TheClientThatATrustedProxyNamed) {
    Backend backend;
    Daemon daemon(config("v1", "trusted_proxies: [127.0.0.1]\n"), ups(*backend.upstream));
    RawClient client(daemon.http());
    for (const auto* address : {"203.0.113.7", "203.0.113.8", "2001:db8::7"}) {
        client.get("/", std::string("X-Forwarded-For: ") + address + "\r\n");
    }
    const auto seen = backend.seen();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_TRUE(seen[0].starts_with("PROXY TCP4 203.0.113.7 127.0.0.1 0 ")) << seen[0];
    EXPECT_TRUE(seen[1].starts_with("PROXY TCP4 203.0.113.8 127.0.0.1 0 ")) << seen[1];
    EXPECT_TRUE(seen[2].starts_with("PROXY TCP6 2001:db8::7 ::ffff:127.0.0.1 0 ")) << seen[2];
}

TEST(ProxyProtocolOut, AClientWithoutAnAddress) {
    Backend backend;
    Daemon daemon(config("v1", "listeners: { http: \"unix:@TMP@/in.sock\" }\n"),
                  ups(*backend.upstream));
    EXPECT_EQ(RawClient(daemon.directory() / "in.sock").get("/").body, "ok");
    EXPECT_EQ(backend.seen(), std::vector<std::string>{"PROXY UNKNOWN\r\n"});
}

TEST(ProxyProtocolOut, FromOneProxyToTheNext) {
    FakeUpstream upstream;
    Daemon inner(R"(
listeners: { http: { address: "127.0.0.1:@HTTP@", proxy_protocol: on } }
hosts: { "*": @UP1@ }
)",
                 ups(upstream));
    Marks marks{{"UP1", std::to_string(inner.http())}};
    Daemon outer(config("v2"), marks);
    ClientOptions options;
    options.source = "127.0.0.77";
    RawClient client(outer.http(), options);
    for (int count = 0; count < 3; ++count) EXPECT_EQ(client.get("/").body, "ok");
    EXPECT_EQ(upstream.last_request().headers.value("X-Real-IP"), "127.0.0.77");
}

}  // namespace
}  // namespace proxyd::test
