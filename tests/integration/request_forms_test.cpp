// Rare forms of a request: TRACE, an absolute target without a path, HTTP/1.0 without Host.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(RequestForms, TraceIsAnsweredHereWithTheMethodsThatAreAllowed) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    const auto response =
        client.exchange("TRACE /x HTTP/1.1\r\nHost: a.test\r\nCookie: secret\r\n\r\n", "TRACE");
    EXPECT_EQ(response.status, 405);
    EXPECT_NE(response.headers.value("Allow").find("GET"), std::string::npos);
    EXPECT_EQ(response.headers.value("Allow").find("TRACE"), std::string::npos);
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
    EXPECT_EQ(upstream.heads(), 0);
}

TEST(RequestForms, AbsoluteTargetWithoutAPathGetsOne) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { a.test: @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    const auto target_for = [&](const std::string& target) {
        const auto bytes = "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
        EXPECT_EQ(client.exchange(bytes).status, 200) << target;
        return upstream.last_request().target;
    };
    EXPECT_EQ(target_for("http://a.test?q"), "/?q");
    EXPECT_EQ(target_for("http://a.test"), "/");
    EXPECT_EQ(target_for("http://a.test/p?q"), "/p?q");
}

TEST(RequestForms, Http10WithoutHostTowardsAUnixSocketNamesLocalhost) {
    const TempDir temp;
    FakeUpstream::Options options;
    options.socket = temp.path() / "app.sock";
    FakeUpstream upstream([](const Request&) { return text_reply("ok"); }, options);
    Daemon daemon("hosts: { \"*\": \"unix:@SOCK@\" }\n", {{"SOCK", options.socket.string()}});
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange("GET / HTTP/1.0\r\n\r\n").status, 200);
    EXPECT_EQ(upstream.last_request().headers.all("Host"), std::vector<std::string>{"localhost"});
}

}  // namespace
}  // namespace proxyd::test
