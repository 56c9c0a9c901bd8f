// Plain requests to a host with TLS are sent to https.
#include "support/certificates.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
trusted_proxies: ["127.0.0.2"]
listeners:
  http: "127.0.0.1:@HTTP@"
  https: { address: "127.0.0.1:@HTTPS@", tls: on }
defaults:
  security_headers: on
  tls: { certificate: "@TMP@/pem", key: "@TMP@/key" }
hosts:
  app.test:
    names: ["*.apps.test"]
    locations:
      /here: { return: 204 }
  both.test: { redirect_http: off, return: 204 }
  plain.test: { tls: off, return: 204 }
)";

class RedirectHttp : public ::testing::Test {
  protected:
    RedirectHttp() {
        const Pair pair = Authority("test").issue({.names = {"app.test"}, .addresses = {}});
        files.write("pem", pair.certificate);
        files.write("key", pair.key);
        std::string text = kConfig;
        for (std::size_t at = 0; (at = text.find("@TMP@", at)) != text.npos;) {
            text.replace(at, 5, files.path().string());
        }
        daemon.emplace(text);
    }

    Response ask(const std::string& text, const std::string& method = "GET",
                 const std::string& from = "") {
        ClientOptions options;
        options.source = from;
        RawClient client(daemon->http(), options);
        client.send(text);
        return client.read_response(method);
    }
    Response get(const std::string& host, const std::string& target, const std::string& more = "",
                 const std::string& from = "") {
        return ask("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n", "GET",
                   from);
    }
    std::string https() { return ":" + std::to_string(daemon->port("HTTPS")); }

    TempDir files;
    std::optional<Daemon> daemon;
};

TEST_F(RedirectHttp, KeepsTheAskedHostAndTheTarget) {
    const auto answer = get("x.apps.test:8080", "/a%20b//c?d=%2f");
    EXPECT_EQ(answer.status, 301);
    EXPECT_EQ(answer.headers.value("Location"),
              "https://x.apps.test" + https() + "/a%20b//c?d=%2f");
    EXPECT_EQ(answer.headers.value("X-Frame-Options"), "DENY");
    EXPECT_FALSE(answer.headers.has("Strict-Transport-Security"));
    EXPECT_EQ(get("app.test", "http://app.test/x").headers.value("Location"),
              "https://app.test" + https() + "/x");
}

TEST_F(RedirectHttp, ComesBeforeEverythingThatTheHostSays) {
    EXPECT_EQ(get("app.test", "/here").status, 301);
    EXPECT_EQ(get("app.test", "/nowhere").status, 301);
    EXPECT_EQ(get("app.test", "/%zz").status, 400);
}

TEST_F(RedirectHttp, KeepsMethodAndBodyOfOthers) {
    const auto post = ask("POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(post.status, 308);
    EXPECT_EQ(ask("HEAD /x HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD").status, 301);
    const auto options = ask("OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(options.status, 308);
    EXPECT_EQ(options.headers.value("Location"), "https://app.test" + https() + "/");
}

TEST_F(RedirectHttp, OnlyWhereTheHostWantsIt) {
    EXPECT_EQ(get("both.test", "/").status, 204);
    EXPECT_EQ(get("plain.test", "/").status, 204);
}

TEST_F(RedirectHttp, NotBehindATrustedProxyThatSpeaksHttps) {
    EXPECT_EQ(get("app.test", "/here", "X-Forwarded-Proto: https\r\n", "127.0.0.2").status, 204);
    EXPECT_EQ(get("app.test", "/here", "X-Forwarded-Proto: http\r\n", "127.0.0.2").status, 301);
    EXPECT_EQ(get("app.test", "/here", "X-Forwarded-Proto: https\r\n").status, 301);
}

}  // namespace
}  // namespace proxyd::test
