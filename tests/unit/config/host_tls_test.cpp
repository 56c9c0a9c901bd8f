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
        write("a", {.names = {"a.test", "*.a.test", "c.test"}, .addresses = {}});
        write("b", {.names = {"b.test", "c.test"}, .addresses = {}});
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
                          host("c.test", pair("a")) + " }\n"),
                ElementsAre(HasSubstr("2:39 host 'a' has no tls, and listener 'https' speaks")));
    EXPECT_THAT(errors_of("listeners: { x: { address: ':2', tls: on } }\nhosts: { a: 3000, " +
                          host("c.test", pair("a")) + " }\n"),
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

TEST_F(HostTlsKeys, EachFileThatCannotBeUsedSaysWhy) {
    const test::Pair a = authority_.issue({.names = {"a.test"}, .addresses = {}});
    files_.write("empty", "");
    files_.write("text", "hello");
    files_.write("cut", a.certificate.substr(0, 300) + "\n-----END CERTIFICATE-----\n");
    files_.write("reversed", authority_.pem() + a.certificate);
    files_.write("reversed.key", a.key);
    files_.write(
        "locked",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
    files_.write("odd", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
    const auto error = [&](const std::string& certificate, const std::string& key) {
        const auto lines = errors_of("hosts: { " + host("a.test", pair(certificate, key)) + " }\n");
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    };
    EXPECT_THAT(error("none", "a.key"), HasSubstr("cannot be read: No such file"));
    EXPECT_THAT(error("empty", "a.key"), HasSubstr("is empty"));
    EXPECT_THAT(error("text", "a.key"), HasSubstr("holds no certificate in PEM form"));
    EXPECT_THAT(error("cut", "a.key"), HasSubstr("holds certificate 1, which cannot be read"));
    EXPECT_THAT(
        error("a.key", "a.pem"),
        HasSubstr("holds a private key, no certificate | are 'certificate' and 'key' swapped"));
    EXPECT_THAT(error("a.pem", "a.pem"), HasSubstr("holds a certificate, no private key"));
    EXPECT_THAT(error("a.pem", "b.key"), HasSubstr("is not the key of the certificate"));
    EXPECT_THAT(
        error("reversed", "reversed.key"),
        HasSubstr("wrong order: certificate 2 of it is the one of the key | the host's own"));
    EXPECT_THAT(error("a.pem", "locked"), HasSubstr("protected by a password | openssl pkey -in"));
    EXPECT_THAT(error("a.pem", "odd"), HasSubstr("holds a private key that cannot be read"));
    EXPECT_THAT(error("a.pem", "text"), HasSubstr("holds no private key in PEM form"));
    // One that failed leaves nothing behind for the next.
    must_load(one());
}

TEST_F(HostTlsKeys, KeysOfEveryType) {
    for (const char* type : {"EC", "RSA", "ED25519"}) {
        SCOPED_TRACE(type);
        const test::Pair made =
            authority_.issue({.names = {"a.test"}, .addresses = {}, .key = type});
        files_.write("k.pem", made.certificate);
        files_.write("k.key", made.key);
        must_load("hosts: { " + host("a.test", pair("k")) + " }\n");
    }
}

TEST_F(HostTlsKeys, SeveralCertificatesSideBySide) {
    write("rsa", {.names = {"a.test"}, .addresses = {}, .key = "RSA"});
    const auto both = [&](const std::string& first, const std::string& second) {
        return "hosts: { " +
               host("a.test", "certificates: [{ " + pair(first) + " }, { " + pair(second) + " }]") +
               " }\n";
    };
    EXPECT_EQ(must_load(both("a", "rsa"))->hosts.at(0).tls->certificates->current()->size(), 2U);
    EXPECT_THAT(errors_of(both("a", "b")), ElementsAre(HasSubstr("has a key of the same type")));
    EXPECT_THAT(errors_of(one(", certificates: [{ " + pair("rsa") + " }]")),
                ElementsAre(HasSubstr("stands instead of")));
    must_load(one(", certificates: []"));
    EXPECT_THAT(errors_of("hosts: { " + host("a", "certificates: [{ key: x }]") + " }\n"),
                ElementsAre(HasSubstr("a key needs its 'certificate'")));
    EXPECT_THAT(errors_of("hosts: { " + host("a", "certificates: [{}]") + " }\n"),
                ElementsAre(HasSubstr("tls needs a certificate")));
    EXPECT_THAT(errors_of("hosts: { " + host("a", "certificates: x") + " }\n"),
                ElementsAre(HasSubstr("wants a list")));
}

TEST_F(HostTlsKeys, Words) {
    const auto settings = [&](const std::string& more) {
        return must_load(one(more))->hosts.at(0).tls->policy->settings();
    };
    EXPECT_EQ(settings(", protocols: [TLSv1.3]").min_version, Version::tls13);
    EXPECT_EQ(settings(", protocols: TLSv1.2").max_version, Version::tls12);
    EXPECT_TRUE(settings("").prefer_server_ciphers);
    EXPECT_FALSE(settings(", prefer_server_ciphers: off").prefer_server_ciphers);
    const std::string authority = ", client_ca: '" + files_.path("ca.pem") + "'";
    EXPECT_EQ(settings(authority).client_verify, ClientVerify::require);
    EXPECT_EQ(settings(authority + ", client_verify: optional").client_verify,
              ClientVerify::optional);
    const auto error = [&](const std::string& more) {
        const auto lines = errors_of(one(more));
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    };
    EXPECT_THAT(error(", protocols: [TLSv1.1]"), HasSubstr("TLSv1.1 is broken and not spoken"));
    EXPECT_THAT(error(", protocols: [TLS1.3]"), HasSubstr("unknown protocol"));
    EXPECT_THAT(error(", protocols: []"), HasSubstr("wants TLSv1.2, TLSv1.3 or both"));
    EXPECT_THAT(error(", ciphers: NONSENSE"), HasSubstr("no cipher that OpenSSL knows"));
    EXPECT_THAT(error(", tls13_ciphersuites: NONSENSE"), HasSubstr("TLS 1.3 cipher suites"));
    EXPECT_THAT(error(", client_verify: require"), HasSubstr("needs 'client_ca'"));
    EXPECT_THAT(error(authority + ", client_verify: requir"), HasSubstr("did you mean 'require'"));
    EXPECT_THAT(error(", client_ca: '" + files_.path("a.key") + "'"), HasSubstr("no certificate"));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 1, tls: auto } }\n"),
                ElementsAre(HasSubstr("'tls: auto' is not built yet")));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 1, tls: on } }\n"),
                ElementsAre(HasSubstr("wants a map of keys, or off")));
    EXPECT_THAT(errors_of("hosts: { a: { upstream: 1, tls: {} } }\n"),
                ElementsAre(HasSubstr("tls needs a certificate")));
}

TEST_F(HostTlsKeys, WhatIsWarnedOf) {
    const auto warning = [&](const std::string& name, const std::string& host_keys) {
        const LoadResult result =
            load_text("hosts: { '" + name + "': { upstream: 1, " + host_keys + " } }\n");
        EXPECT_NE(result.snapshot, nullptr);
        const auto lines = said(result);
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    };
    const auto tls = [&](const std::string& file) { return "tls: { " + pair(file) + " }"; };
    const auto made = [&](long from, long until) {
        write("t", {.names = {"a.test"}, .addresses = {}, .from = from, .until = until});
        return warning("a.test", tls("t"));
    };
    EXPECT_THAT(made(-7200, -3600), HasSubstr("this certificate expired on 2"));
    EXPECT_THAT(made(3600, 90 * 86'400), HasSubstr("is not valid before 2"));
    EXPECT_THAT(made(-3600, 10 * 86'400 + 60), HasSubstr(", in 10 days"));
    EXPECT_EQ(made(-3600, 14 * 86'400 + 60), "?0");
    EXPECT_THAT(warning("a.test", "names: [b.test, '*', 'c.*', '~x', '*.d.test'], " + tls("a")),
                HasSubstr("is not for 'b.test', '*.d.test'"));
    std::filesystem::permissions(files_.path("b.key"), std::filesystem::perms(0644));
    EXPECT_THAT(warning("b.test", tls("b")), HasSubstr("everyone can read the private key"));
    const auto list = [&](const std::string& more) {
        return warning("a.test", "tls: { " + pair("a") + more + " }");
    };
    EXPECT_THAT(list(", ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-AES-129:!RC4:@SECLEVEL=2'"),
                HasSubstr("OpenSSL knows no cipher of TLS 1.2 'ECDHE-AES-129': it is left out"));
    EXPECT_THAT(list(", tls13_ciphersuites: 'TLS_AES_128_GCM_SHA256:TLS_AES_129'"),
                HasSubstr("OpenSSL knows no cipher suite of TLS 1.3 'TLS_AES_129'"));
    const test::Pair pair = authority_.issue({.names = {"a.test"}, .addresses = {}});
    files_.write("t.pem", pair.certificate + test::Authority("another").pem());
    files_.write("t.key", pair.key);
    EXPECT_THAT(warning("a.test", tls("t")),
                HasSubstr("certificate 2 of it is not the issuer of certificate 1"));
    files_.write("cert.pem", pair.certificate);
    files_.write("cert.key", pair.key);
    EXPECT_EQ(warning("a.test", tls("cert")), "?0");
    files_.write("fullchain.pem", pair.certificate + authority_.pem());
    EXPECT_THAT(warning("a.test", tls("cert")), HasSubstr("cert.pem is without the chain"));
}

TEST_F(HostTlsKeys, WhatIsServedIsNotDecodedAgain) {
    LoadOptions options;
    options.path = "test.yaml";
    options.text =
        "hosts: { " + host("a.test", pair("a")) + ", " + host("b.test", pair("b")) + " }\n";
    const auto before = load(options).snapshot;
    write("b", {.names = {"b.test"}, .addresses = {}});
    options.served = before;
    const auto after = load(options).snapshot;
    const auto certificate = [](const auto& snapshot, std::size_t host) {
        return snapshot->hosts.at(host).tls->certificates->current()->at(0);
    };
    EXPECT_EQ(certificate(after, 0), certificate(before, 0));
    EXPECT_NE(certificate(after, 1), certificate(before, 1));
    EXPECT_EQ(after->hosts.at(1).tls->identity, before->hosts.at(1).tls->identity);
}

}  // namespace
}  // namespace proxyd::config
