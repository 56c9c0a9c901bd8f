// client_ca and client_verify: who gets in, and what the upstream and the log learn of it.
#include "support/tls_site.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

class ClientCertificates : public ::testing::TestWithParam<int> {
  protected:
    void SetUp() override { files.write("ca.pem", site_authority().pem()); }
    std::string config(const std::string& verify) {
        return site("hosts:\n  app.test: { upstream: @UP1@, redirect_http: false, tls: { " +
                    files.pair("a", {"app.test"}) + ", client_ca: '" + files.path("ca.pem") +
                    "', client_verify: " + verify + " } }\n");
    }
    TlsOptions with(Pair pair) {
        TlsOptions options;
        options.version = GetParam();
        options.certificate = std::move(pair);
        return options;
    }
    static Pair good() { return site_authority().issue({.names = {"me"}, .addresses = {}}); }
    static Pair stranger() {
        return Authority("somebody").issue({.names = {"me"}, .addresses = {}});
    }
    // The status, or 0 where no answer came.
    static int ask(std::uint16_t port, const TlsOptions& options) {
        TlsClient client(port, options);
        if (!client.secure()) return 0;
        if (client.try_send(get_request("/")) != IoStatus::Ok) return 0;
        return client.read_response().status;
    }

    FakeUpstream upstream;
    TlsFiles files;
};

TEST_P(ClientCertificates, RequiredIsRequired) {
    Daemon daemon(config("require"), ups(upstream));
    const auto port = daemon.port("HTTPS");
    EXPECT_EQ(ask(port, with(good())), 200);
    EXPECT_EQ(ask(port, with({})), 0);
    EXPECT_EQ(ask(port, with(stranger())), 0);
    Subject old{.names = {"me"}, .addresses = {}};
    old.from = -7200;
    old.until = -3600;
    EXPECT_EQ(ask(port, with(site_authority().issue(old))), 0);
    EXPECT_TRUE(daemon.wait_for_log("peer did not return a certificate"));
    EXPECT_TRUE(daemon.wait_for_log("certificate verify failed: unable to get local issuer"));
    EXPECT_TRUE(daemon.wait_for_log("certificate verify failed: certificate has expired"));
    EXPECT_EQ(upstream.request_count(), 1);
}

TEST_P(ClientCertificates, TheFactsOfTheCertificate) {
    Daemon daemon(config("require"), ups(upstream));
    EXPECT_EQ(ask(daemon.port("HTTPS"), with(good())), 200);
    const auto line = daemon.access(0);
    EXPECT_EQ(line["verify"].text(), "SUCCESS");
    EXPECT_EQ(line["subject"].text(), "CN=leaf");
    EXPECT_EQ(line["issuer"].text(), "CN=the authority");
    EXPECT_EQ(line["serial"].text().size() % 2, 0U);
    EXPECT_EQ(line["serial"].text().find_first_not_of("0123456789ABCDEF"), std::string::npos);
    EXPECT_EQ(line["print"].text().size(), 40U);
    EXPECT_EQ(line["from"].text().substr(line["from"].text().size() - 3), "GMT");
    EXPECT_EQ(line["pem"].text().find("-----BEGIN%20CERTIFICATE-----%0A"), 0U);
}

TEST_P(ClientCertificates, OptionalIsAFact) {
    Daemon daemon(config("optional"), ups(upstream));
    const auto port = daemon.port("HTTPS");
    EXPECT_EQ(ask(port, with({})), 200);
    EXPECT_EQ(ask(port, with(good())), 200);
    EXPECT_EQ(ask(port, with(stranger())), 200);
    EXPECT_EQ(daemon.access(0)["verify"].text(), "NONE");
    EXPECT_EQ(daemon.access(1)["verify"].text(), "SUCCESS");
    EXPECT_EQ(daemon.access(2)["verify"].text().find("FAILED:unable to "), 0U);
    EXPECT_EQ(daemon.access(2)["subject"].text(), "CN=leaf");
}

TEST_P(ClientCertificates, AResumedConnectionHasTheSameFacts) {
    Daemon daemon(config("require"), ups(upstream));
    const auto port = daemon.port("HTTPS");
    auto options = with(good());
    {
        TlsClient client(port, options);
        EXPECT_EQ(client.get("/").status, 200);
        options.session = client.session();
    }
    EXPECT_EQ(ask(port, options), 200);
    EXPECT_EQ(daemon.access(1)["reused"].text(), "r");
    EXPECT_EQ(daemon.access(1)["verify"].text(), "SUCCESS");
    EXPECT_EQ(daemon.access(1)["print"].text(), daemon.access(0)["print"].text());
}

INSTANTIATE_TEST_SUITE_P(Versions, ClientCertificates,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), [](const auto& info) {
                             return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace proxyd::test
