#include "proxyd/net/tls/certificate.hpp"
#include "proxyd/net/tls/server_policy.hpp"
#include "support/certificates.hpp"
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using net::tls::ClientVerify;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Version = net::tls::ServerSettings::Version;

class HostTlsKeys : public testing::Test {
  protected:
    void SetUp() override {
        write("a", {.names = {"a.test"}, .addresses = {}});
        write("b", {.names = {"b.test"}, .addresses = {}});
        files_.write("ca.pem", authority_.pem());
    }
    void write(const std::string& name, const test::Subject& subject) {
        const test::Pair pair = authority_.issue(subject);
        files_.write(name + ".pem", pair.certificate);
        files_.write(name + ".key", pair.key);
    }
    [[nodiscard]] std::string pair(const std::string& name) const {
        return pair(name + ".pem", name + ".key");
    }
    [[nodiscard]] std::string pair(const std::string& certificate, const std::string& key) const {
        return "certificate: '" + files_.path(certificate) + "', key: '" + files_.path(key) + "'";
    }
    [[nodiscard]] std::string host(const std::string& name, const std::string& tls) const {
        return name + ": { upstream: 3000, tls: { " + tls + " } }";
    }
    [[nodiscard]] std::string one(const std::string& more = "") const {
        return "hosts: { " + host("a.test", pair("a") + more) + " }\n";
    }

    test::Authority authority_{"test"};
    Directory files_;
};

TEST_F(HostTlsKeys, ACertificateAndAKeyAreEnough) {
    const auto snapshot = must_load(one());
    const Host& found = snapshot->hosts.at(0);
    ASSERT_NE(found.tls, nullptr);
    EXPECT_TRUE(found.tls->certificates->current()->at(0)->is_for("a.test"));
    EXPECT_EQ(found.tls->files.at(0).key, files_.path("a.key"));
    EXPECT_EQ(found.tls->policy->settings().min_version, Version::tls12);
    EXPECT_EQ(found.tls->policy->settings().client_verify, ClientVerify::off);
    EXPECT_TRUE(found.redirect_http);
    EXPECT_EQ(found.https_port, 443);
}

TEST_F(HostTlsKeys, TheDefaultListeners) {
    const auto secure = must_load(one())->listeners;
    ASSERT_EQ(secure.size(), 2U);
    EXPECT_EQ(secure[0].address.text, ":80");
    EXPECT_FALSE(secure[0].tls || secure[0].http2);
    EXPECT_EQ(secure[1].name, "https");
    EXPECT_EQ(secure[1].address.text, ":443");
    EXPECT_TRUE(secure[1].tls && secure[1].http2);
    EXPECT_EQ(must_load("hosts: { a: 3000 }\n")->listeners.size(), 1U);
    EXPECT_EQ(must_load("hosts: { a: { upstream: 3000, tls: off } }\n")->listeners.size(), 1U);
}

TEST_F(HostTlsKeys, Http2OfAListener) {
    const auto listener = [&](const std::string& keys) {
        return must_load("listeners: { x: { address: ':1', " + keys + " } }\n" + one())
            ->listeners.at(0);
    };
    EXPECT_TRUE(listener("tls: on").http2);
    EXPECT_FALSE(listener("tls: on, http2: off").http2);
    const Listener limits = listener("tls: on, http2: { max_concurrent_streams: 7 }");
    EXPECT_TRUE(limits.http2);
    EXPECT_EQ(limits.client.max_concurrent_streams, 7U);
    EXPECT_EQ(limits.client.max_resets_per_minute, 200U);
    const auto plain = must_load(
        "client: { http2: { max_resets_per_minute: 9 } }\n"
        "listeners: { x: ':1', y: { address: ':2', http2: on } }\nhosts: { a: 3000 }\n");
    EXPECT_FALSE(plain->listeners.at(0).http2);
    EXPECT_TRUE(plain->listeners.at(1).http2);
    EXPECT_EQ(plain->listeners.at(1).client.max_resets_per_minute, 9U);
}

TEST_F(HostTlsKeys, TheSameFilesAndSettingsAreOneObject) {
    const auto snapshot =
        must_load("hosts: { " + host("a.test", pair("a")) + ", " + host("'*.a.test'", pair("a")) +
                  ", " + host("c.test", pair("a") + ", protocols: TLSv1.3") + " }\n");
    const auto tls = [&](std::size_t i) { return snapshot->hosts.at(i).tls; };
    EXPECT_EQ(tls(0), tls(1));
    EXPECT_NE(tls(0)->identity, tls(2)->identity);
    EXPECT_EQ(tls(0)->certificates->current()->at(0), tls(2)->certificates->current()->at(0));
}

TEST_F(HostTlsKeys, DefaultsGiveThemToEveryHostThatDoesNotSay) {
    const auto snapshot =
        must_load("defaults: { redirect_http: off, tls: { " + pair("a") +
                  " } }\nhosts: { a.test: 3000, b.test: { upstream: 3000, tls: off },\n  c.test: { "
                  "upstream: 3000, redirect_http: on, tls: { " +
                  pair("b") + " } } }\n");
    const auto& hosts = snapshot->hosts;
    EXPECT_NE(hosts.at(0).tls, nullptr);
    EXPECT_FALSE(hosts.at(0).redirect_http);
    EXPECT_THAT(hosts.at(0).listen, IsEmpty());
    EXPECT_EQ(hosts.at(1).tls, nullptr);
    EXPECT_FALSE(hosts.at(1).redirect_http);
    EXPECT_THAT(hosts.at(1).listen, ElementsAre("http"));
    EXPECT_NE(hosts.at(2).tls->identity, hosts.at(0).tls->identity);
    EXPECT_TRUE(hosts.at(2).redirect_http);
}

TEST_F(HostTlsKeys, HostsAndListenersThatDoNotFit) {
    const std::string both = "listeners: { http: ':1', https: { address: ':2', tls: on } }\n";
    EXPECT_THAT(errors_of(both + "hosts: { a: 3000 }\n"),
                ElementsAre(HasSubstr("1:55 listener 'https' speaks TLS, but no host on it")));
    EXPECT_THAT(errors_of(both + "hosts: { a: { upstream: 3000, listen: https }, " +
                          host("b", pair("a")) + " }\n"),
                ElementsAre(HasSubstr("2:39 host 'a' has no tls, and listener 'https' speaks")));
    EXPECT_THAT(errors_of("listeners: { x: { address: ':2', tls: on } }\nhosts: { a: 3000, " +
                          host("b", pair("a")) + " }\n"),
                ElementsAre(HasSubstr("2:10 host 'a' has no tls")));
    EXPECT_THAT(errors_of("listeners: { x: ':2' }\n" + one()),
                ElementsAre(HasSubstr("2:36 host 'a.test' has tls, but no listener that speaks")));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 3000, redirect_http: on } }\n"),
                ElementsAre(HasSubstr("1:46 'redirect_http' needs 'tls'")));
    const LoadResult warned =
        load_text(both + "hosts: { a: { upstream: 3000, listen: [http, https] }, " +
                  host("a.test", pair("a")) + " }\n");
    EXPECT_THAT(said(warned), ElementsAre(HasSubstr("it is not served there")));
    EXPECT_THAT(warned.snapshot->hosts.at(0).listen, ElementsAre("http"));
}

TEST_F(HostTlsKeys, ThePortThatRedirectsName) {
    const auto port = [&](const std::string& listeners) {
        return must_load("listeners: { http: ':1', " + listeners + " }\n" + one())
            ->hosts.at(0)
            .https_port;
    };
    EXPECT_EQ(port("x: { address: ':8443', tls: on }"), 8443);
    EXPECT_EQ(port("x: { address: ':8443', tls: on }, y: { address: ':443', tls: on }"), 443);
    EXPECT_EQ(port("x: { address: 'unix:/tmp/proxyd-none/x', tls: on }"), 443);
}

}  // namespace
}  // namespace proxyd::config
