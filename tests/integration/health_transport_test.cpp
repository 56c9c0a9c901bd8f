// Active checks speak to a server as requests do: TLS, its certificate, the PROXY header.
#include "support/daemon.hpp"
#include "support/peers.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

namespace proxyd::test {
namespace {

constexpr auto kCheck = "{ path: /healthz, interval: 100ms, timeout: 300ms, fall: 2, rise: 2 }";

bool checked(const Daemon& daemon, const std::string& what) {
    return eventually([&] { return peer_of(daemon, 0)["checks_" + what].number() >= 2; });
}

class TlsHealth : public ::testing::Test {
  protected:
    Pair pair() { return authority_.issue({.names = {"app.internal"}, .addresses = {}}); }

    static std::string config(const std::string& tls = "server_name: app.internal",
                              const std::string& check = kCheck) {
        return "upstreams:\n  app:\n    servers: [\"127.0.0.1:@TLS@\"]\n    tls: { ca: \"@CA@\", " +
               tls + " }\n    health_check: " + check + "\nhosts: { \"*\": app }\n";
    }

    Marks marks(std::uint16_t port) {
        const auto path = temp_.path() / "ca.pem";
        std::ofstream(path) << authority_.pem();
        Marks result;
        result.set("TLS", std::to_string(port));
        result.set("CA", path.string());
        return result;
    }

    std::unique_ptr<TlsFront> front() {
        TlsFrontOptions options;
        options.pair = pair();
        return std::make_unique<TlsFront>(app_.port(), options);
    }

    std::string cause(const std::string& yaml, std::uint16_t port) {
        Daemon daemon(yaml, marks(port));
        EXPECT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
        EXPECT_EQ(get_once(daemon.http(), "/").status, 503);
        return peer_of(daemon, 0)["cause"].text();
    }

    Authority authority_{"the authority"};
    TempDir temp_;
    std::atomic<int> status_ = 200;
    FakeUpstream app_{[this](const Request& request) {
        return request.target == "/healthz" ? text_reply("", status_) : text_reply("app");
    }};
};

TEST_F(TlsHealth, AsksByTlsAndByTheNameOfTheRequests) {
    const auto tls = front();
    Daemon daemon(config(), marks(tls->port()));
    EXPECT_TRUE(checked(daemon, "passed"));
    EXPECT_EQ(tls->seen().at(0).name, "app.internal");
    status_ = 503;
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    EXPECT_EQ(peer_of(daemon, 0)["cause"].text(), "status 503");
    status_ = 200;
    ASSERT_TRUE(wait_for_state(daemon, 0, "up"));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "app");
}

TEST_F(TlsHealth, WithoutAServerNameTheHostOfTheCheckCounts) {
    const auto tls = front();
    Daemon daemon(config("verify: on", "{ path: /healthz, host: app.internal, interval: 100ms }"),
                  marks(tls->port()));
    EXPECT_TRUE(checked(daemon, "passed"));
    EXPECT_EQ(tls->seen().at(0).name, "app.internal");
}

TEST_F(TlsHealth, AServerWrittenAsHttpsIsAskedByItsAddress) {
    TlsFrontOptions options;
    options.pair = authority_.issue({.names = {}, .addresses = {"127.0.0.1"}});
    TlsFront tls(app_.port(), options);
    Daemon daemon(
        "upstreams:\n  app:\n    servers: [\"https://127.0.0.1:@TLS@\"]\n"
        "    tls: { ca: \"@CA@\" }\n    health_check: " +
            std::string(kCheck) + "\nhosts: { \"*\": app }\n",
        marks(tls.port()));
    EXPECT_TRUE(checked(daemon, "passed"));
    EXPECT_EQ(app_.last_request().headers.value("Host"), "127.0.0.1:" + std::to_string(tls.port()));
}

TEST_F(TlsHealth, ACertificateForAnotherNameFails) {
    const auto tls = front();
    EXPECT_NE(cause(config("server_name: other.internal"), tls->port()).find("other.internal"),
              std::string::npos);
}

TEST_F(TlsHealth, TcpWantsTheHandshakeToo) {
    const auto tls = front();
    const auto check = "{ type: tcp, interval: 100ms, timeout: 300ms, fall: 2 }";
    EXPECT_NE(cause(config("server_name: other.internal", check), tls->port()), "");
    Daemon daemon(config("server_name: app.internal", check), marks(tls->port()));
    EXPECT_TRUE(checked(daemon, "passed"));
    EXPECT_EQ(app_.heads(), 0);
}

TEST_F(TlsHealth, APlainServerAndASilentOneFail) {
    EXPECT_NE(cause(config(), app_.port()), "");
    const auto silent = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { (void)connection.wait_for_close(); });
    EXPECT_EQ(cause(config(), silent->port()), "timeout after 300 ms");
}

TEST_F(TlsHealth, AReloadOfItsTlsSettingsIsSeenByTheNextCheck) {
    const auto tls = front();
    Daemon daemon(config("server_name: other.internal"), marks(tls->port()));
    ASSERT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    daemon.reload(config());
    EXPECT_TRUE(wait_for_state(daemon, 0, "up"));
    daemon.reload(config("server_name: other.internal"));
    EXPECT_TRUE(wait_for_state(daemon, 0, "unhealthy"));
    daemon.reload(config("verify: off"));
    EXPECT_TRUE(wait_for_state(daemon, 0, "up"));
}

struct Header {
    const char* version;
    std::string bytes;
};

class ProxyHeaderOfChecks : public ::testing::TestWithParam<Header> {};

TEST_P(ProxyHeaderOfChecks, NamesNobody) {
    std::mutex mutex;
    std::string first;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Wire& wire = connection.wire();
        const std::size_t size = GetParam().bytes.size();
        while (wire.view().size() < size) {
            if (wire.fill(Deadline(kLimit)) != IoStatus::Ok) return;
        }
        {
            const std::lock_guard lock(mutex);
            first = wire.view().substr(0, size);
        }
        wire.consume(size);
        Request request;
        if (connection.read_request(request)) connection.reply(text_reply("ok"));
    });
    Daemon daemon(
        "upstreams: { app: { servers: [@UP1@], proxy_protocol: " + std::string(GetParam().version) +
            ", health_check: " + kCheck + " } }\nhosts: { \"*\": app }\n",
        ups(*upstream));
    EXPECT_TRUE(checked(daemon, "passed"));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(first, GetParam().bytes);
}

// PROXY protocol, 2.1 and 2.2: UNKNOWN and LOCAL are for health checks.
INSTANTIATE_TEST_SUITE_P(
    Both, ProxyHeaderOfChecks,
    ::testing::Values(Header{"v1", "PROXY UNKNOWN\r\n"},
                      Header{"v2", std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)}),
    [](const auto& each) { return each.param.version; });

}  // namespace
}  // namespace proxyd::test
