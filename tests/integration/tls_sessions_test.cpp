// Sessions that clients come back with: who takes them up again, and who must not.
#include "support/tls_site.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

class TlsSessions : public ::testing::TestWithParam<int> {
  protected:
    static std::string host(const std::string& name, const std::string& tls) {
        return "  \"" + name + "\": { upstream: @UP1@, redirect_http: false, tls: { " + tls +
               " } }\n";
    }
    TlsOptions as(const std::string& name, TlsSession session = {}) {
        TlsOptions options;
        options.name = name;
        options.version = GetParam();
        options.session = std::move(session);
        return options;
    }
    // Of a whole request, as browsers have it.
    TlsSession session_of(std::uint16_t port, const TlsOptions& options) {
        TlsClient client(port, options);
        EXPECT_EQ(client.handshake_error(), "");
        EXPECT_EQ(client.get("/", "", options.name).status, 200);
        auto session = client.session();
        EXPECT_NE(session, nullptr);
        return session;
    }
    bool resumes(std::uint16_t port, const TlsOptions& options) {
        TlsClient client(port, options);
        EXPECT_EQ(client.handshake_error(), "");
        EXPECT_EQ(client.get("/", "", options.name).status, 200);
        return client.resumed();
    }

    FakeUpstream upstream;
    TlsFiles files;
};

TEST_P(TlsSessions, ATicketIsTakenUp) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    const auto port = daemon.port("HTTPS");
    const auto session = session_of(port, as("app.test"));
    EXPECT_TRUE(resumes(port, as("app.test", session)));
    EXPECT_EQ(daemon.access(0)["reused"].text(), ".");
    EXPECT_EQ(daemon.access(1)["reused"].text(), "r");
    EXPECT_EQ(daemon.access(1)["sni"].text(), "app.test");
    EXPECT_FALSE(resumes(port, as("app.test")));
}

TEST_P(TlsSessions, OnEveryWorkerAndAfterReloads) {
    const auto config = site("hosts:\n" + host("app.test", files.pair("a", {"app.test"})), "", 4);
    Daemon daemon(config, ups(upstream));
    const auto port = daemon.port("HTTPS");
    const auto session = session_of(port, as("app.test"));
    std::vector<std::unique_ptr<TlsClient>> open;  // spread over the workers
    for (int count = 0; count < 8; ++count) {
        open.push_back(std::make_unique<TlsClient>(port, as("app.test", session)));
        EXPECT_TRUE(open.back()->resumed()) << count;
    }
    for (int count = 0; count < 3; ++count) daemon.reload(config);
    EXPECT_TRUE(resumes(port, as("app.test", session)));
}

TEST_P(TlsSessions, NoNameOpensAnother) {
    Daemon daemon(site("hosts:\n" + host("a.test", files.pair("a", {"a.test", "*.c.test"})) +
                       host("b.test", files.pair("b", {"b.test"})) +
                       host("*.c.test", "certificate: '" + files.path("a.pem") + "', key: '" +
                                            files.path("a.key") + "'")),
                  ups(upstream));
    const auto port = daemon.port("HTTPS");
    const auto session = session_of(port, as("a.test"));
    EXPECT_FALSE(resumes(port, as("b.test", session)));
    EXPECT_FALSE(resumes(port, as("x.c.test", session)));
    EXPECT_TRUE(resumes(port, as("a.test", session)));
}

// CVE-2025-23419 of nginx.
TEST_P(TlsSessions, NoneOpensAHostThatWantsClientCertificates) {
    files.write("ca.pem", site_authority().pem());
    const auto guarded = [&](const std::string& verify) {
        return "certificate: '" + files.path("a.pem") + "', key: '" + files.path("a.key") +
               "', client_ca: '" + files.path("ca.pem") + "', client_verify: " + verify;
    };
    const std::string open_tls = files.pair("a", {"a.test", "b.test", "c.test"});
    Daemon daemon(site("hosts:\n" + host("a.test", open_tls) + host("b.test", guarded("require")) +
                       host("c.test", guarded("optional"))),
                  ups(upstream));
    const auto port = daemon.port("HTTPS");
    for (const std::string from : {"a.test", "c.test"}) {
        const auto session = session_of(port, as(from));
        TlsClient client(port, as("b.test", session));
        EXPECT_FALSE(client.resumed());
        if (client.secure()) {  // with TLS 1.3 the client hears of it behind its handshake
            EXPECT_EQ(client.try_send(get_request("/", "", "b.test"), Duration(100)), IoStatus::Ok);
            EXPECT_NE(client.read_response().status, 200);
        }
    }
    EXPECT_TRUE(daemon.wait_for_log("peer did not return a certificate"));
    // What was shown once counts as long as the session does.
    auto member = as("b.test");
    member.certificate = site_authority().issue({.names = {"me"}, .addresses = {}});
    const auto session = session_of(port, member);
    EXPECT_TRUE(resumes(port, as("b.test", session)));
    EXPECT_FALSE(resumes(port, as("a.test", session)));
}

TEST_P(TlsSessions, ChangedSettingsEndThem) {
    const std::string keys = files.pair("a", {"app.test"});
    const auto config = [&](const std::string& more) {
        return site("hosts:\n" + host("app.test", keys + more));
    };
    Daemon daemon(config(""), ups(upstream));
    const auto port = daemon.port("HTTPS");
    const auto session = session_of(port, as("app.test"));
    daemon.reload(config(", prefer_server_ciphers: off"));
    EXPECT_FALSE(resumes(port, as("app.test", session)));
    daemon.reload(config(""));
    EXPECT_TRUE(resumes(port, as("app.test", session)));
}

TEST_P(TlsSessions, AFalseTicketIsNone) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    Daemon other(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))), ups(upstream));
    const auto session = session_of(other.port("HTTPS"), as("app.test"));
    EXPECT_FALSE(resumes(daemon.port("HTTPS"), as("app.test", session)));
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsSessions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                             return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace proxyd::test
