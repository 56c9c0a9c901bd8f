// TLS to the servers: who is trusted, under which name, and what a cut connection means.
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace proxyd::test {
namespace {

const Authority& authority() {
    static const Authority made("the authority");
    return made;
}

Pair good_pair() {
    return authority().issue(
        {.names = {"app.internal", "other.internal"}, .addresses = {"127.0.0.1"}});
}

std::string file_with(const TempDir& temp, const std::string& name, const std::string& text) {
    const auto path = temp.path() / name;
    std::ofstream(path) << text;
    return path.string();
}

class TlsUpstream : public ::testing::Test {
  protected:
    // One upstream behind a front, asked for as app.internal with our authority trusted.
    std::string config(const std::string& tls = "server_name: app.internal",
                       const std::string& more = "") {
        return "workers: 1\nupstreams:\n  app:\n    servers: [\"https://127.0.0.1:@TLS@\"]\n"
               "    tls: { ca: \"@CA@\", " +
               tls + " }\n" + more + "hosts: { \"*\": app }\n";
    }

    Marks marks(const TlsFront& front) {
        Marks result;
        result.set("TLS", std::to_string(front.port()));
        result.set("CA", file_with(temp, "ca.pem", authority().pem()));
        return result;
    }

    // The reason with which a request to a server with this certificate fails.
    std::string refused(Pair pair, const std::string& tls = "server_name: app.internal",
                        const std::string& said = "") {
        FakeUpstream upstream;
        TlsFrontOptions options;
        options.pair = std::move(pair);
        TlsFront front(upstream.port(), options);
        Daemon daemon(config(tls), marks(front));
        EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
        EXPECT_EQ(upstream.request_count(), 0);
        const std::string reason = daemon.access(0)["reason"].text();
        EXPECT_TRUE(daemon.wait_for_log(reason + ": ")) << reason;
        EXPECT_TRUE(daemon.wait_for_log(said));
        return reason;
    }

    TempDir temp;
};

struct Version {
    const char* name;
    int number;
    const char* text;
};

class TlsVersion : public TlsUpstream, public ::testing::WithParamInterface<Version> {
  protected:
    TlsFrontOptions options() {
        TlsFrontOptions result;
        result.pair = good_pair();
        result.version = GetParam().number;
        return result;
    }
};

TEST_P(TlsVersion, RequestsPassAndConnectionsAreKept) {
    FakeUpstream upstream;
    TlsFront front(upstream.port(), options());
    Daemon daemon(config(), marks(front));
    RawClient client(daemon.http());
    for (int count = 0; count < 5; ++count) EXPECT_EQ(client.get("/").body, "ok");
    // What cannot be sent twice looks at the connection first: a session ticket is no reason.
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(client.exchange(body_request("POST", "/", "x"), "POST").body, "ok");
    }
    ASSERT_EQ(front.seen().size(), 1U);
    EXPECT_EQ(front.seen()[0].name, "app.internal");
    EXPECT_EQ(front.seen()[0].version, GetParam().text);
    EXPECT_FALSE(front.seen()[0].resumed);
}

TEST_P(TlsVersion, SessionsAreResumed) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.close = true;
        return reply;
    });
    TlsFront front(upstream.port(), options());
    Daemon daemon(config(), marks(front));
    for (int count = 0; count < 4; ++count) EXPECT_EQ(get_once(daemon.http(), "/").body, "x");
    const auto seen = front.seen();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_FALSE(seen[0].resumed);
    for (std::size_t index = 1; index < 4; ++index) EXPECT_TRUE(seen[index].resumed) << index;
}

TEST_P(TlsVersion, LargeBodiesBothWays) {
    const std::string body = pattern(8U << 20U, 3);
    FakeUpstream::Options keep;
    keep.keep_body = 0;
    FakeUpstream upstream([&](const Request&) { return text_reply(body); }, keep);
    TlsFront front(upstream.port(), options());
    Daemon daemon(config(), marks(front));
    RawClient client(daemon.http());
    for (int count = 0; count < 2; ++count) {
        client.send(body_request("PUT", "/", body));
        ReadOptions read;
        read.keep_body = 0;
        const auto response = client.read_response("PUT", read);
        EXPECT_TRUE(response.complete()) << response.end;
        EXPECT_EQ(response.body_digest, digest_of(body));
        EXPECT_EQ(upstream.last_request().body_digest, digest_of(body));
    }
    EXPECT_EQ(front.seen().size(), 1U);
}

TEST_P(TlsVersion, RecordsOfOneByte) {
    FakeUpstream upstream([](const Request&) { return text_reply(std::string(3'000, 'b')); });
    auto small = options();
    small.piece = 1;
    TlsFront front(upstream.port(), small);
    Daemon daemon(config(), marks(front));
    RawClient client(daemon.http());
    for (int count = 0; count < 2; ++count) EXPECT_EQ(client.get("/").body.size(), 3'000U);
}

TEST_P(TlsVersion, AnAnswerThatEndsWithoutCloseNotifyIsCut) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it");
    });
    for (const bool polite : {true, false}) {
        auto cutting = options();
        cutting.close_notify = polite;
        TlsFront front(upstream->port(), cutting);
        Daemon daemon(config(), marks(front));
        EXPECT_EQ(get_once(daemon.http(), "/").complete(), polite);
        EXPECT_EQ(daemon.access(0)["reason"].text(), polite ? "" : "upstream_body_cut");
    }
}

TEST_P(TlsVersion, ConnectionThatEndsBeforeTheAnswer) {
    for (const bool polite : {true, false}) {
        const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
            Request request;
            connection.read_request(request);
        });
        auto cutting = options();
        cutting.close_notify = polite;
        TlsFront front(upstream->port(), cutting);
        Daemon daemon(config(), marks(front));
        EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
        EXPECT_EQ(daemon.access(0)["reason"].text(), polite ? "upstream_closed" : "upstream_reset");
    }
}

TEST_P(TlsVersion, ClientCertificate) {
    const Authority clients("clients");
    FakeUpstream upstream;
    auto strict = options();
    strict.client_ca = clients.pem();
    TlsFront front(upstream.port(), strict);
    auto files = marks(front);
    const Pair pair = clients.issue({.names = {"proxy"}, .addresses = {}});
    files.set("CERT", file_with(temp, "client.pem", pair.certificate));
    files.set("KEY", file_with(temp, "client.key", pair.key));
    {
        Daemon daemon(config("server_name: app.internal, certificate: \"@CERT@\", key: \"@KEY@\""),
                      files);
        EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
        EXPECT_TRUE(front.seen().at(0).client_certificate);
    }
    Daemon daemon(config(), files);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(upstream.request_count(), 1);
    EXPECT_TRUE(daemon.wait_for_log("alert"));
}

TEST_P(TlsVersion, TunnelWithItsHalfClose) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(
            "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
        Wire& wire = connection.wire();
        while (!wire.view().empty() || wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
            connection.send(wire.view());
            wire.consume(wire.view().size());
        }
        connection.send("bye");
    });
    TlsFront front(upstream->port(), options());
    Daemon daemon(config(), marks(front));
    RawClient client(daemon.http());
    client.send(
        get_request("/",
                    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"));
    EXPECT_EQ(client.read_response().status, 101);
    EXPECT_EQ(client.read_exactly(5), "hello");
    client.send("ping");
    EXPECT_EQ(client.read_exactly(4), "ping");
    client.half_close();
    EXPECT_EQ(client.read_until_close().text, "bye");
}

TEST_P(TlsVersion, ServerThatClosedItsIdleConnections) {
    FakeUpstream upstream;
    TlsFront front(upstream.port(), options());
    Daemon daemon(config(), marks(front));
    RawClient client(daemon.http());
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(client.exchange(body_request("POST", "/", "x"), "POST").status, 200);
        upstream.drop_connections();
        EXPECT_TRUE(front.wait_for_none());  // proxyd has taken its end of it
    }
}

INSTANTIATE_TEST_SUITE_P(Both, TlsVersion,
                         ::testing::Values(Version{"Tls12", TLS1_2_VERSION, "TLSv1.2"},
                                           Version{"Tls13", TLS1_3_VERSION, "TLSv1.3"}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(TlsUpstream, ACertificateForAnotherNameIsRefused) {
    EXPECT_EQ(refused(authority().issue({.names = {"evil.internal"}, .addresses = {}})),
              "upstream_certificate_name");
}

TEST_F(TlsUpstream, AnExpiredCertificateIsRefused) {
    const Subject old{.names = {"app.internal"}, .addresses = {}, .from = -7200, .until = -3600};
    EXPECT_EQ(refused(authority().issue(old)), "upstream_certificate_expired");
}

TEST_F(TlsUpstream, ACertificateThatNobodyVouchesForIsRefused) {
    EXPECT_EQ(refused(Authority("app.internal").self()), "upstream_certificate_untrusted");
    EXPECT_EQ(refused(Authority("somebody").issue({.names = {"app.internal"}, .addresses = {}})),
              "upstream_certificate_untrusted");
}

TEST_F(TlsUpstream, AnAddressIsVerifiedAsOneAndNotSent) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = good_pair();
    TlsFront front(upstream.port(), options);
    Daemon daemon(config("server_name: 127.0.0.1"), marks(front));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
    EXPECT_EQ(front.seen().at(0).name, "");
    EXPECT_EQ(refused(authority().issue({.names = {"app.internal"}, .addresses = {}}),
                      "server_name: 127.0.0.1"),
              "upstream_certificate_name");
}

TEST_F(TlsUpstream, WithoutAServerNameTheAskedHostCounts) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = good_pair();
    TlsFront front(upstream.port(), options);
    Daemon daemon(config("verify: on"), marks(front));
    EXPECT_EQ(get_once(daemon.http(), "/", "", "app.internal").body, "ok");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "other.internal:8080").body, "ok");
    // A connection made for one name carries no request for another.
    ASSERT_EQ(front.seen().size(), 2U);
    EXPECT_EQ(front.seen()[0].name, "app.internal");
    EXPECT_EQ(front.seen()[1].name, "other.internal");
    EXPECT_FALSE(front.seen()[1].resumed);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "evil.internal").status, 502);
    EXPECT_EQ(daemon.access(2)["reason"].text(), "upstream_certificate_name");
    EXPECT_EQ(get_once(daemon.http(), "/", "", "app.internal").body, "ok");
    EXPECT_EQ(front.seen().size(), 2U);
}

TEST_F(TlsUpstream, VerifyOffTakesEverybody) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = Authority("somebody").self();
    TlsFront front(upstream.port(), options);
    Daemon daemon(config("verify: off"), marks(front));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
    EXPECT_EQ(front.seen().at(0).name, "app.test");
}

TEST_F(TlsUpstream, TheShortFormVerifiesAgainstTheSystemsStore) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = good_pair();
    TlsFront front(upstream.port(), options);
    auto files = marks(front);
    DaemonOptions trusting;
    trusting.env["SSL_CERT_FILE"] = files.value("CA");
    const auto* text = R"(
workers: 1
hosts:
  "*": { upstream: "https://127.0.0.1:@TLS@", request_headers: { set: { X-To: $proxy_host } } }
)";
    {
        Daemon daemon(text, files, trusting);
        EXPECT_EQ(get_once(daemon.http(), "/", "", "app.internal").body, "ok");
        EXPECT_EQ(upstream.last_request().headers.value("X-To"),
                  "127.0.0.1:" + std::to_string(front.port()));
    }
    Daemon daemon(text, files);
    EXPECT_EQ(get_once(daemon.http(), "/", "", "app.internal").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_certificate_untrusted");
}

TEST_F(TlsUpstream, APlainAnswerIsNoAnswer) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        static_cast<void>(connection.wait_for_close());
    });
    auto files = ups(*upstream);
    files.set("TLS", std::to_string(upstream->port()));
    files.set("CA", file_with(temp, "ca.pem", authority().pem()));
    Daemon daemon(config(), files);
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_tls_failed");
}

TEST_F(TlsUpstream, AHandshakeThatHangsEndsInTime) {
    const auto upstream = FakeUpstream::scripted(
        [](UpstreamConnection& connection) { static_cast<void>(connection.wait_for_close()); });
    Marks files;
    files.set("TLS", std::to_string(upstream->port()));
    files.set("CA", file_with(temp, "ca.pem", authority().pem()));
    Daemon daemon(config("verify: on", "    timeouts: { connect: 300ms }\n"), files);
    const auto start = Clock::now();
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
    EXPECT_LT(Clock::now() - start, Duration(5'000));
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_timeout_tls");
    // A client that leaves takes its attempt along.
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_TRUE(upstream->wait_for_connections(2));
    client.close();
    EXPECT_TRUE(upstream->wait_for_open(0));
}

TEST_F(TlsUpstream, ATrustedServerTakesOverFromOneThatIsNot) {
    FakeUpstream upstream;
    TlsFrontOptions good, bad;
    good.pair = good_pair();
    bad.pair = authority().issue({.names = {"evil.internal"}, .addresses = {}});
    TlsFront front(upstream.port(), good), stranger(upstream.port(), bad);
    auto files = marks(front);
    files.set("BAD", std::to_string(stranger.port()));
    Daemon daemon(R"(
workers: 1
upstreams:
  app:
    servers: ["127.0.0.1:@BAD@", "127.0.0.1:@TLS@"]
    tls: { server_name: app.internal, ca: "@CA@" }
hosts: { "*": app }
)",
                  files);
    for (int count = 0; count < 4; ++count) EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
}

TEST_F(TlsUpstream, NamesThatClientsChooseTakeNoServerOut) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = good_pair();
    TlsFront front(upstream.port(), options), second(upstream.port(), options);
    auto files = marks(front);
    files.set("SECOND", std::to_string(second.port()));
    Daemon daemon(R"(
workers: 1
upstreams:
  app:
    servers:
      - { address: "127.0.0.1:@TLS@", max_fails: 1, fail_timeout: 60s }
      - { address: "127.0.0.1:@SECOND@", max_fails: 1, fail_timeout: 60s }
    tls: { ca: "@CA@" }
hosts: { "*": app }
)",
                  files);
    for (int count = 0; count < 4; ++count) {
        EXPECT_EQ(get_once(daemon.http(), "/", "", "evil.internal").status, 502);
    }
    for (int count = 0; count < 4; ++count) {
        EXPECT_EQ(get_once(daemon.http(), "/", "", "app.internal").body, "ok");
    }
    const auto served = [](const TlsFront& each) {
        return std::ranges::any_of(each.seen(),
                                   [](const TlsSeen& seen) { return seen.name == "app.internal"; });
    };
    EXPECT_TRUE(served(front));
    EXPECT_TRUE(served(second));
}

TEST_F(TlsUpstream, AnAskedAddressInBracketsIsAnAddress) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = authority().issue({.names = {}, .addresses = {"::1"}});
    TlsFront front(upstream.port(), options);
    Daemon daemon(config("verify: on"), marks(front));
    EXPECT_EQ(get_once(daemon.http(), "/", "", "[::1]:8080").body, "ok");
    ASSERT_EQ(front.seen().size(), 1U);
    EXPECT_EQ(front.seen()[0].name, "");
}

TEST_F(TlsUpstream, AFileWithABrokenCertificateIsRefused) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = good_pair();
    TlsFront front(upstream.port(), options);
    auto files = marks(front);
    Daemon daemon(config(), files);
    file_with(temp, "ca.pem",
              authority().pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const CliResult verdict = daemon.cli({"-t"});
    EXPECT_EQ(verdict.exit_code, 78);
    EXPECT_NE(verdict.err.find("certificate 2 cannot be read"), std::string::npos) << verdict.err;
}

TEST_F(TlsUpstream, ChangedSettingsAreNotServedByOldConnections) {
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = authority().issue({.names = {"evil.internal"}, .addresses = {}});
    TlsFront front(upstream.port(), options);
    Daemon daemon(config("verify: off, server_name: app.internal"), marks(front));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
    daemon.reload(config("verify: off, server_name: app.internal"));
    EXPECT_EQ(get_once(daemon.http(), "/").body, "ok");
    EXPECT_EQ(front.seen().size(), 1U);
    daemon.reload(config());
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(upstream.request_count(), 2);
}

}  // namespace
}  // namespace proxyd::test
