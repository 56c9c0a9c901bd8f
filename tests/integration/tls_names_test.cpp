// TLS towards clients: who answers for which name, with which certificate and protocol.
#include "support/tls_site.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

class TlsNames : public ::testing::Test {
  protected:
    std::string host(const std::string& name, const std::string& tls) {
        return "  \"" + name + "\": { upstream: @UP1@, redirect_http: false, tls: { " + tls +
               " } }\n";
    }
    TlsOptions as(const std::string& name) {
        TlsOptions options;
        options.name = name;
        return options;
    }

    FakeUpstream upstream;
    TlsFiles files;
};

TEST_F(TlsNames, EachNameHasItsCertificate) {
    Daemon daemon(site("hosts:\n" + host("a.test", files.pair("a", {"a.test"})) +
                       host("*.b.test", files.pair("b", {"*.b.test"})) +
                       host("*", files.pair("any", {"any.test"}))),
                  ups(upstream));
    const auto shown = [&](const std::string& name) {
        TlsClient client(daemon.port("HTTPS"), as(name));
        EXPECT_EQ(client.handshake_error(), "");
        EXPECT_EQ(client.get("/", "", name.empty() ? "a.unknown" : name).status, 200);
        return client.server_certificate();
    };
    EXPECT_EQ(shown("a.test"), files.certificate("a"));
    EXPECT_EQ(shown("A.Test"), files.certificate("a"));
    EXPECT_EQ(shown("x.b.test"), files.certificate("b"));
    EXPECT_EQ(shown("y.x.b.test"), files.certificate("b"));
    EXPECT_EQ(shown("b.test"), files.certificate("any"));
    EXPECT_EQ(shown("nobody.test"), files.certificate("any"));
    EXPECT_EQ(shown(""), files.certificate("any"));
}

TEST_F(TlsNames, WhatNobodyHasIsRefused) {
    Daemon daemon(
        site("hosts:\n" + host("a.test", files.pair("a", {"a.test"})) + "  plain.test: @UP1@\n"),
        ups(upstream));
    for (const std::string name : {"b.test", "plain.test", "", "a.test.evil", "a_b!.test"}) {
        TlsClient client(daemon.port("HTTPS"), as(name));
        EXPECT_EQ(client.handshake_error(), "tlsv1 unrecognized name") << name;
    }
    EXPECT_TRUE(
        daemon.wait_for_log("info tls_handshake_failed: the TLS handshake with the client failed: "
                            "no host with tls has the name 'b.test'; client 127.0.0.1:"));
    EXPECT_TRUE(daemon.wait_for_log("the client asked for no server name"));
    EXPECT_EQ(get_tls(daemon.port("HTTPS"), "/", as("a.test")).status, 200);
}

TEST_F(TlsNames, TheFactsOfTheConnection) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    TlsOptions options;
    options.protocols = {"http/1.1"};
    EXPECT_EQ(get_tls(daemon.port("HTTPS"), "/", options).status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("X-Forwarded-Proto"), "https");
    EXPECT_EQ(upstream.last_request().headers.value("X-Forwarded-Port"),
              std::to_string(daemon.port("HTTPS")));
    const auto line = daemon.access(0);
    EXPECT_EQ(line["scheme"].text(), "https");
    EXPECT_EQ(line["version"].text(), "TLSv1.3");
    EXPECT_EQ(line["cipher"].text(), "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(line["curve"].text(), "X25519");
    EXPECT_EQ(line["sni"].text(), "app.test");
    EXPECT_EQ(line["alpn"].text(), "http/1.1");
    EXPECT_EQ(line["reused"].text(), ".");
    EXPECT_EQ(line["verify"].text(), "-");
    EXPECT_EQ(line["subject"].text(), "-");
}

TEST_F(TlsNames, EcdsaAndRsaSideBySide) {
    Daemon daemon(
        site("hosts:\n" +
             host("app.test", "certificates: [{ " + files.pair("ec", {"app.test"}) + " }, { " +
                                  files.pair("rsa", {"app.test"}, "RSA") + " }]")),
        ups(upstream));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsOptions modern, old;
        modern.version = old.version = version;
        old.signatures = "RSA-PSS+SHA256:RSA+SHA256";
        EXPECT_EQ(TlsClient(daemon.port("HTTPS"), modern).server_certificate(),
                  files.certificate("ec"));
        EXPECT_EQ(TlsClient(daemon.port("HTTPS"), old).server_certificate(),
                  files.certificate("rsa"));
    }
}

TEST_F(TlsNames, TheChainIsSent) {
    const std::string keys = files.pair("a", {"app.test"});
    files.write("a.pem", files.certificate("a") + site_authority().pem());
    Daemon daemon(site("hosts:\n" + host("app.test", keys)), ups(upstream));
    TlsClient client(daemon.port("HTTPS"));
    EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(client.ssl())), 2);
}

TEST_F(TlsNames, EachHostHasItsVersionsAndCiphers) {
    Daemon daemon(
        site(
            "hosts:\n" +
            host("new.test", files.pair("n", {"new.test"}) + ", protocols: [TLSv1.3]") +
            host("old.test", files.pair("o", {"old.test"}) +
                                 ", protocols: [TLSv1.2], ciphers: ECDHE-ECDSA-CHACHA20-POLY1305") +
            host("suite.test", files.pair("s", {"suite.test"}) +
                                   ", tls13_ciphersuites: TLS_CHACHA20_POLY1305_SHA256") +
            host("order.test",
                 files.pair("p", {"order.test"}) +
                     ", prefer_server_ciphers: off, ciphers: "
                     "'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384'") +
            host("app.test", files.pair("a", {"app.test"}))),
        ups(upstream));
    const auto speaks = [&](const std::string& name, int version) {
        TlsOptions options = as(name);
        options.version = version;
        TlsClient client(daemon.port("HTTPS"), options);
        return client.secure() ? client.cipher() : client.handshake_error();
    };
    EXPECT_EQ(speaks("new.test", TLS1_2_VERSION), "tlsv1 alert protocol version");
    EXPECT_EQ(speaks("new.test", TLS1_3_VERSION), "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(speaks("old.test", TLS1_3_VERSION), "tlsv1 alert protocol version");
    EXPECT_EQ(speaks("old.test", TLS1_2_VERSION), "ECDHE-ECDSA-CHACHA20-POLY1305");
    EXPECT_EQ(speaks("suite.test", TLS1_3_VERSION), "TLS_CHACHA20_POLY1305_SHA256");
    EXPECT_EQ(speaks("app.test", TLS1_2_VERSION), "ECDHE-ECDSA-AES128-GCM-SHA256");
    EXPECT_EQ(speaks("order.test", TLS1_2_VERSION), "ECDHE-ECDSA-AES256-GCM-SHA384");
    TlsOptions weak = as("app.test");
    weak.version = TLS1_2_VERSION;
    weak.ciphers = "AES128-SHA:ECDHE-ECDSA-AES128-SHA";
    EXPECT_EQ(TlsClient(daemon.port("HTTPS"), weak).handshake_error(),
              "sslv3 alert handshake failure");
    TlsOptions ancient = as("app.test");
    ancient.version = TLS1_1_VERSION;
    ancient.ciphers = "ALL:@SECLEVEL=0";
    EXPECT_NE(TlsClient(daemon.port("HTTPS"), ancient).handshake_error(), "");
}

TEST_F(TlsNames, TheProtocolIsAgreed) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    const auto agreed = [&](std::vector<std::string> offered) {
        TlsOptions options;
        options.protocols = std::move(offered);
        TlsClient client(daemon.port("HTTPS"), options);
        return client.secure() ? client.protocol() : client.handshake_error();
    };
    EXPECT_EQ(agreed({}), "");
    EXPECT_EQ(agreed({"http/1.1"}), "http/1.1");
    EXPECT_EQ(agreed({"http/1.1", "h2"}), "h2");
    EXPECT_EQ(agreed({"spdy/1", "http/1.1"}), "http/1.1");
    EXPECT_EQ(agreed({"spdy/1"}), "tlsv1 alert no application protocol");
    EXPECT_TRUE(daemon.wait_for_log("the client speaks no protocol of ours (ALPN)"));
}

TEST_F(TlsNames, WithoutHttp2OnlyHttp1IsAgreed) {
    Daemon daemon(
        site("hosts:\n" + host("app.test", files.pair("a", {"app.test"})), ", http2: off"),
        ups(upstream));
    TlsOptions options;
    options.protocols = {"h2", "http/1.1"};
    TlsClient client(daemon.port("HTTPS"), options);
    EXPECT_EQ(client.protocol(), "http/1.1");
    EXPECT_EQ(client.get("/").status, 200);
    options.protocols = {"h2"};
    EXPECT_EQ(TlsClient(daemon.port("HTTPS"), options).handshake_error(),
              "tlsv1 alert no application protocol");
}

TEST_F(TlsNames, APlainRequestIsToldSo) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    for (const std::string method : {"GET", "DELETE", "PROPFIND"}) {
        RawClient client(daemon.port("HTTPS"));
        const auto answer = client.exchange(method + " / HTTP/1.1\r\nHost: app.test\r\n\r\n");
        EXPECT_EQ(answer.status, 400);
        EXPECT_NE(answer.body.find("HTTPS"), std::string::npos);
        EXPECT_TRUE(client.closed_by_peer());
    }
    EXPECT_TRUE(daemon.wait_for_log("tls_handshake_failed"));
    EXPECT_TRUE(daemon.wait_for_log("plain HTTP request to a TLS port"));
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST_F(TlsNames, ThePlainListenerStaysPlain) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"}))),
                  ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("X-Forwarded-Proto"), "http");
    EXPECT_NE(TlsClient(daemon.http()).handshake_error(), "");
}

TEST_F(TlsNames, BehindAProxyHeader) {
    Daemon daemon(
        site("hosts:\n" + host("app.test", files.pair("a", {"app.test"})), ", proxy_protocol: on"),
        ups(upstream));
    TlsOptions options;
    options.before = "PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n";
    EXPECT_EQ(get_tls(daemon.port("HTTPS"), "/", options).status, 200);
    EXPECT_EQ(upstream.last_request().headers.value("X-Forwarded-For"), "203.0.113.7");
    EXPECT_EQ(daemon.access(0)["addr"].text(), "203.0.113.7");
    EXPECT_EQ(daemon.access(0)["scheme"].text(), "https");
    EXPECT_NE(TlsClient(daemon.port("HTTPS")).handshake_error(), "");
}

TEST_F(TlsNames, StatusCountsHandshakes) {
    Daemon daemon(site("hosts:\n" + host("app.test", files.pair("a", {"app.test"})), "", 2),
                  ups(upstream));
    TlsOptions old;
    old.version = TLS1_2_VERSION;
    const auto port = daemon.port("HTTPS");
    EXPECT_EQ(get_tls(port, "/").status, 200);
    EXPECT_EQ(get_tls(port, "/").status, 200);
    EXPECT_EQ(get_tls(port, "/", old).status, 200);
    EXPECT_FALSE(TlsClient(port, as("nobody.test")).secure());
    const auto text = daemon.cli({"status"}).out;
    EXPECT_NE(text.find("tls handshakes: TLSv1.3 2, TLSv1.2 1, resumed 0, failed 1\n"),
              std::string::npos)
        << text;
    const auto json = Json::parse(daemon.cli({"status", "--json"}).out);
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["tls_handshakes"]["tls13"].number(), 2);
}

}  // namespace
}  // namespace proxyd::test
