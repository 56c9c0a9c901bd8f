// proxy_protocol on a listener: the header names the client; without a valid one nothing is served.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
workers: 2
listeners:
  http: { address: "127.0.0.1:@HTTP@", proxy_protocol: on, header_timeout: 300ms }
  unix: { address: "unix:@TMP@/in.sock", proxy_protocol: on }
  plain: "127.0.0.1:@PLAIN@"
log:
  access: { path: "@TMP@/access.log", format: mine, buffer: 0 }
  formats: { mine: '{"addr":"$remote_addr","port":"$remote_port","socket":"$realip_remote_addr","named":"$proxy_protocol_addr","named_port":"$proxy_protocol_port","reason":"$reason"}' }
hosts: { "*": @UP1@ }
)";
const std::string kLine = "PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n";
const std::string kV2(
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xcb\0\x71\x08\x0a\0\0\x01\x30\x3a\x01\xbb\x04\0\0", 31);

class ProxyProtocolIn : public ::testing::Test {
  protected:
    FakeUpstream upstream;
    Daemon daemon{kConfig, ups(upstream)};

    std::string forwarded_for() { return upstream.last_request().headers.value("X-Forwarded-For"); }
};

TEST_F(ProxyProtocolIn, VersionOneNamesTheClient) {
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(kLine + get_request("/")).status, 200);
    EXPECT_EQ(forwarded_for(), "203.0.113.7");
    EXPECT_EQ(upstream.last_request().headers.value("X-Real-IP"), "203.0.113.7");
    // The header stands in front of the connection, not of each request.
    EXPECT_EQ(client.get("/again").status, 200);
    for (std::size_t index = 0; index < 2; ++index) {
        const auto line = daemon.access(index);
        EXPECT_EQ(line["addr"].text(), "203.0.113.7");
        EXPECT_EQ(line["port"].text(), "12345");
        EXPECT_EQ(line["socket"].text(), "127.0.0.1");
        EXPECT_EQ(line["named"].text(), "203.0.113.7");
        EXPECT_EQ(line["named_port"].text(), "12345");
    }
}

TEST_F(ProxyProtocolIn, VersionTwoWithATlv) {
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(kV2 + get_request("/")).status, 200);
    EXPECT_EQ(forwarded_for(), "203.0.113.8");
    EXPECT_EQ(daemon.access(0)["port"].text(), "12346");
}

TEST_F(ProxyProtocolIn, ByteByByte) {
    for (const std::string& header : {kLine, kV2}) {
        RawClient client(daemon.http());
        for (const char byte : header) client.send({&byte, 1});
        EXPECT_EQ(client.get("/").status, 200);
    }
    EXPECT_EQ(upstream.request(0).headers.value("X-Forwarded-For"), "203.0.113.7");
    EXPECT_EQ(upstream.request(1).headers.value("X-Forwarded-For"), "203.0.113.8");
}

TEST_F(ProxyProtocolIn, WithoutAddressesTheSocketCounts) {
    const std::string local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
    for (const std::string& header : {std::string("PROXY UNKNOWN\r\n"), local}) {
        RawClient client(daemon.http());
        EXPECT_EQ(client.exchange(header + get_request("/")).status, 200);
        EXPECT_EQ(forwarded_for(), "127.0.0.1");
    }
    EXPECT_EQ(daemon.access(0)["named"].text(), "-");
    EXPECT_EQ(daemon.access(0)["named_port"].text(), "-");
}

TEST_F(ProxyProtocolIn, OverAUnixSocket) {
    RawClient client(daemon.directory() / "in.sock");
    EXPECT_EQ(client.exchange(kLine + get_request("/")).status, 200);
    EXPECT_EQ(forwarded_for(), "203.0.113.7");
    EXPECT_EQ(daemon.access(0)["socket"].text(), "unix:");
}

TEST_F(ProxyProtocolIn, WithoutAHeaderNothingIsServed) {
    for (const std::string& bytes : {get_request("/"), std::string("PROXY TCP4 1 2 3 4\r\n")}) {
        RawClient client(daemon.http());
        client.send(bytes);
        EXPECT_EQ(client.read_until_close().text, "");
    }
    EXPECT_TRUE(daemon.wait_for_log("proxy_protocol_invalid: the connection does not begin"));
    EXPECT_TRUE(daemon.wait_for_log("an address of the line is not valid"));
    EXPECT_TRUE(daemon.wait_for_log("listener 'http'"));
    EXPECT_EQ(upstream.connections(), 0);
}

TEST_F(ProxyProtocolIn, AnUnfinishedHeaderEndsInTime) {
    RawClient slow(daemon.http());
    slow.send(kLine.substr(0, 20));
    const auto start = Clock::now();
    EXPECT_TRUE(slow.closed_by_peer());
    EXPECT_LT(Clock::now() - start, Duration(5'000));
    EXPECT_TRUE(daemon.wait_for_log("proxy_protocol_timeout"));

    RawClient gone(daemon.http());
    gone.send(kLine.substr(0, 20));
    gone.half_close();
    EXPECT_TRUE(gone.closed_by_peer());
    EXPECT_TRUE(daemon.wait_for_log("the connection ended inside it"));
}

TEST_F(ProxyProtocolIn, OtherListenersTakeNone) {
    RawClient client(daemon.port("PLAIN"));
    EXPECT_EQ(client.exchange(kLine + get_request("/")).status, 400);
    EXPECT_EQ(get_once(daemon.port("PLAIN"), "/").status, 200);
}

TEST_F(ProxyProtocolIn, WhoWaitsForItDoesNotHoldTheDrainUp) {
    RawClient waiting(daemon.port("HTTP"));
    RawClient served(daemon.port("HTTP"));
    EXPECT_EQ(served.exchange(kLine + get_request("/")).status, 200);
    daemon.signal(SIGQUIT);
    EXPECT_TRUE(waiting.closed_by_peer());
    EXPECT_EQ(daemon.wait_exit().code, 0);
}

TEST_F(ProxyProtocolIn, AHeaderOnItsWayAtADrainIsTaken) {
    RawClient client(daemon.port("HTTP"));
    EXPECT_EQ(get_once(daemon.port("PLAIN"), "/").status, 200);
    daemon.signal(SIGQUIT);
    EXPECT_TRUE(daemon.wait_for_log("draining"));
    EXPECT_EQ(client.exchange(kLine + get_request("/")).status, 200);
    EXPECT_EQ(daemon.wait_exit().code, 0);
}

TEST(ProxyProtocolTrust, TheNamedAddressMayBeATrustedProxy) {
    FakeUpstream upstream;
    Daemon daemon(R"(
trusted_proxies: [203.0.113.0/24]
listeners: { http: { address: "127.0.0.1:@HTTP@", proxy_protocol: on } }
hosts: { "*": @UP1@ }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    client.exchange(kLine + get_request("/", "X-Forwarded-For: 198.51.100.9\r\n"));
    EXPECT_EQ(upstream.last_request().headers.value("X-Real-IP"), "198.51.100.9");
}

}  // namespace
}  // namespace proxyd::test
