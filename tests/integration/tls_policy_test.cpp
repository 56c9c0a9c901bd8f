// What a host's TLS means for its requests: who may be asked for on a connection, what the
// variables say, and the fields that are for TLS only.
#include "support/daemon.hpp"
#include "support/tls_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
listeners:
  http: "127.0.0.1:@HTTP@"
  https: { address: "127.0.0.1:@HTTPS@", tls: on, http2: off }
defaults:
  security_headers: on
hosts:
  app.test:
    names: [www.test]
    upstream: @UP1@
    tls: { certificate: "@FILES@/pem", key: "@FILES@/key" }
    locations:
      /: {}
      /own: { return: 403 }
      /says:
        return:
          status: 200
          body: "$scheme $https $ssl_protocol $ssl_cipher $ssl_curve $ssl_server_name $ssl_session_reused [$ssl_alpn_protocol] [$ssl_client_verify] [$ssl_client_s_dn]"
  same.test:
    return: 204
    tls: { certificate: "@FILES@/pem", key: "@FILES@/key" }
  other.test:
    return: 204
    tls: { certificate: "@FILES@/pem2", key: "@FILES@/key2" }
  members.test:
    return: { status: 200, body: "$ssl_client_verify $ssl_client_s_dn" }
    tls: { certificate: "@FILES@/pem", key: "@FILES@/key", client_ca: "@FILES@/ca" }
)";

class TlsPolicy : public ::testing::Test {
  protected:
    TlsPolicy() {
        write("", authority.issue({.names = {"app.test", "www.test", "same.test", "members.test"},
                                   .addresses = {}}));
        write("2", authority.issue({.names = {"other.test"}, .addresses = {}}));
        files.write("ca", authority.pem());
        Marks marks = ups(upstream);
        marks.set("FILES", files.path().string());
        daemon.emplace(kConfig, marks);
    }
    void write(const std::string& suffix, const Pair& pair) const {
        files.write("pem" + suffix, pair.certificate);
        files.write("key" + suffix, pair.key);
    }
    TlsClient client(const std::string& name = "app.test") {
        TlsOptions options;
        options.name = name;
        return TlsClient(daemon->port("HTTPS"), options);
    }

    Authority authority{"test"};
    TempDir files;
    FakeUpstream upstream{[](const Request& request) {
        auto reply = text_reply("x");
        if (request.target == "/sent") {
            reply.headers = {{"Strict-Transport-Security", "max-age=1"}};
        }
        return reply;
    }};
    std::optional<Daemon> daemon;
};

TEST_F(TlsPolicy, AConnectionServesTheHostsThatShareItsCertificate) {
    auto connection = client();
    EXPECT_EQ(connection.get("/", "", "app.test").status, 200);
    EXPECT_EQ(connection.get("/", "", "www.test").status, 200);
    EXPECT_EQ(connection.get("/", "", "same.test").status, 204);
}

TEST_F(TlsPolicy, OtherHostsAreMisdirected) {
    auto connection = client();
    EXPECT_EQ(connection.get("/", "", "other.test").status, 421);
    EXPECT_EQ(daemon->access(0)["reason"].text(), "misdirected");
    EXPECT_EQ(client("other.test").get("/", "", "app.test").status, 421);
    EXPECT_EQ(client("other.test").get("/", "", "other.test").status, 204);
    // Nor does a location that is not there tell that the host is.
    EXPECT_EQ(client("app.test").get("/nowhere", "", "other.test").status, 421);
}

TEST_F(TlsPolicy, NobodyGetsAroundAClientCertificate) {
    EXPECT_EQ(client().get("/", "", "members.test").status, 421);
    TlsOptions options;
    options.name = "members.test";
    options.certificate = authority.issue({.names = {"someone"}, .addresses = {}});
    const auto answer = get_tls(daemon->port("HTTPS"), "/", options, "members.test");
    EXPECT_EQ(answer.body, "SUCCESS CN=leaf");
}

TEST_F(TlsPolicy, AReloadThatChangesSettingsTurnsNoConnectionAway) {
    auto connection = client();
    EXPECT_EQ(connection.get("/").status, 200);
    std::string next = kConfig;
    for (std::size_t at = 0; (at = next.find("/key\" }", at)) != next.npos; ++at) {
        next.replace(at, 7, "/key\", prefer_server_ciphers: on }");
    }
    daemon->reload(next);
    EXPECT_EQ(connection.get("/").status, 200);
    EXPECT_EQ(connection.get("/", "", "other.test").status, 421);
}

TEST_F(TlsPolicy, VariablesAndTheLog) {
    EXPECT_EQ(client().get("/says").body,
              "https on TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 app.test . [] [] []");
    EXPECT_EQ(daemon->access(0)["ssl_protocol"].text(), "TLSv1.3");
}

TEST_F(TlsPolicy, HstsIsOnEveryAnswerOverTlsAndOnNoOther) {
    auto connection = client();
    for (const auto* path : {"/", "/own"}) {
        EXPECT_EQ(connection.get(path).headers.all("Strict-Transport-Security"),
                  std::vector<std::string>{"max-age=63072000"})
            << path;
    }
    EXPECT_EQ(connection.get("/sent").headers.all("Strict-Transport-Security"),
              std::vector<std::string>{"max-age=1"});
    const auto plain = get_once(daemon->http(), "/");
    EXPECT_EQ(plain.status, 301);
    EXPECT_FALSE(plain.headers.has("Strict-Transport-Security"));
}

}  // namespace
}  // namespace proxyd::test
