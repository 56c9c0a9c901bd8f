// X-Forwarded-*, X-Real-IP and Forwarded: ours, and the client's only when it is trusted.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr std::string_view kForged =
    "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 444\r\nX-Real-IP: 3.3.3.3\r\n"
    "Forwarded: for=4.4.4.4\r\n";

std::string joined(const Headers& headers, std::string_view name) {
    std::string text;
    for (const auto& value : headers.all(name)) text += (text.empty() ? "" : ", ") + value;
    return text;
}

class ForwardedFields : public ::testing::Test {
  protected:
    Request ask(Daemon& daemon, std::string_view fields, const std::string& source = "",
                std::string_view host = "app.test") {
        ClientOptions options;
        options.source = source;
        EXPECT_EQ(RawClient(daemon.http(), options).get("/", fields, host).status, 200);
        return upstream.last_request();
    }

    FakeUpstream upstream;
};

TEST_F(ForwardedFields, AreSetForEveryRequest) {
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto request = ask(daemon, "", "127.0.0.7", "app.test:8080");
    EXPECT_EQ(request.headers.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.7"});
    EXPECT_EQ(request.headers.value("X-Real-IP"), "127.0.0.7");
    EXPECT_EQ(request.headers.value("X-Forwarded-Proto"), "http");
    EXPECT_EQ(request.headers.value("X-Forwarded-Host").substr(0, 8), "app.test");
    EXPECT_EQ(request.headers.value("X-Forwarded-Port"), std::to_string(daemon.http()));
    EXPECT_FALSE(request.headers.has("Forwarded"));
}

TEST_F(ForwardedFields, OfUntrustedClientsAreReplaced) {
    Daemon daemon("trusted_proxies: [10.0.0.0/8]\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto request = ask(daemon, kForged, "127.0.0.7");
    EXPECT_EQ(request.headers.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.7"});
    EXPECT_EQ(request.headers.all("X-Real-IP"), std::vector<std::string>{"127.0.0.7"});
    EXPECT_EQ(request.headers.all("X-Forwarded-Proto"), std::vector<std::string>{"http"});
    EXPECT_EQ(request.headers.value("X-Forwarded-Host").find("evil"), std::string::npos);
    EXPECT_EQ(request.headers.all("X-Forwarded-Port"),
              std::vector<std::string>{std::to_string(daemon.http())});
    EXPECT_FALSE(request.headers.has("Forwarded"));
}

TEST_F(ForwardedFields, OfTrustedClientsAreAppended) {
    Daemon daemon("trusted_proxies: [127.0.0.7]\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto request = ask(daemon, kForged, "127.0.0.7");
    EXPECT_EQ(joined(request.headers, "X-Forwarded-For"), "1.1.1.1, 2.2.2.2, 127.0.0.7");
    EXPECT_EQ(request.headers.all("X-Forwarded-Proto"), std::vector<std::string>{"https"});
    EXPECT_EQ(request.headers.all("X-Forwarded-Host"), std::vector<std::string>{"evil.test"});
    EXPECT_EQ(request.headers.all("X-Forwarded-Port"), std::vector<std::string>{"444"});
    EXPECT_EQ(joined(request.headers, "Forwarded"), "for=4.4.4.4, for=127.0.0.7");
}

TEST_F(ForwardedFields, RealAddressIsFoundFromRightToLeft) {
    Daemon daemon("trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\nhosts: { \"*\": @UP1@ }\n",
                  ups(upstream));
    struct Row {
        const char* fields;
        const char* real;
    };
    const Row rows[] = {
        {"X-Forwarded-For: 6.6.6.6, 5.5.5.5, 10.1.2.3\r\n", "5.5.5.5"},
        {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 5.5.5.5, 10.1.2.3\r\n", "5.5.5.5"},
        {"X-Forwarded-For: 5.5.5.5:1234\r\n", "5.5.5.5"},
        {"X-Forwarded-For: [2001:db8::1]:1234\r\n", "2001:db8::1"},
        {"X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"},
        {"", "127.0.0.7"},
    };
    std::size_t line = 0;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.fields);
        const auto request = ask(daemon, row.fields, "127.0.0.7");
        EXPECT_EQ(request.headers.value("X-Real-IP"), row.real);
        EXPECT_EQ(daemon.access(line++)["remote_addr"].text(), row.real);
    }
}

TEST_F(ForwardedFields, NonsenseInATrustedFieldIsNotTakenAsAnAddress) {
    Daemon daemon("trusted_proxies: [127.0.0.0/8]\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto request = ask(daemon, "X-Forwarded-For: not-an-address\r\n", "127.0.0.7");
    EXPECT_EQ(request.headers.value("X-Real-IP"), "127.0.0.7");
}

TEST_F(ForwardedFields, AreSetAgainWhenTheClientRemovesThemByConnection) {
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto request = ask(
        daemon, "Connection: X-Forwarded-For, X-Real-IP\r\n" + std::string(kForged), "127.0.0.8");
    EXPECT_EQ(request.headers.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.8"});
    EXPECT_EQ(request.headers.all("X-Real-IP"), std::vector<std::string>{"127.0.0.8"});
}

TEST_F(ForwardedFields, RequestRulesHaveTheLastWord) {
    Daemon daemon(R"(
hosts:
  "*":
    upstream: @UP1@
    request_headers: { set: { Host: inner.test }, remove: [X-Forwarded-Port] }
)",
                  ups(upstream));
    const auto request = ask(daemon, "");
    EXPECT_EQ(request.headers.all("Host"), std::vector<std::string>{"inner.test"});
    EXPECT_FALSE(request.headers.has("X-Forwarded-Port"));
    EXPECT_EQ(request.headers.value("X-Forwarded-Host"), "app.test");
}

}  // namespace
}  // namespace proxyd::test
