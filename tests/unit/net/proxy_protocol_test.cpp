#include "proxyd/net/proxy_protocol.hpp"

#include <gmock/gmock.h>

namespace proxyd::net {
namespace {

using State = ProxyParse::State;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string v2(int command, int family, const std::string& rest, int length = -1) {
    const std::size_t size = length < 0 ? rest.size() : static_cast<std::size_t>(length);
    std::string bytes = kSignature;
    bytes += static_cast<char>(command);
    bytes += static_cast<char>(family);
    bytes += static_cast<char>(size >> 8U);
    bytes += static_cast<char>(size & 0xffU);
    return bytes + rest;
}

const std::string kV4Addresses("\xcb\x00\x71\x07\x0a\x00\x00\x01\x30\x39\x01\xbb", 12);

std::string v6_addresses() {
    std::string bytes(36, '\0');
    bytes[0] = '\x20';
    bytes[1] = '\x01';
    bytes[15] = '\x07';
    bytes[31] = '\x01';
    bytes[33] = '\x50';
    bytes[35] = '\x51';
    return bytes;
}

TEST(ProxyProtocol, VersionOneNamesBothEnds) {
    const std::string line = "PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n";
    const ProxyParse parsed = parse_proxy_header(line + "GET / HTTP/1.1\r\n");
    ASSERT_EQ(parsed.state, State::complete) << parsed.problem;
    EXPECT_EQ(parsed.size, line.size());
    EXPECT_FALSE(parsed.header.local);
    EXPECT_EQ(parsed.header.source.text(), "203.0.113.7");
    EXPECT_EQ(parsed.header.destination.text(), "10.0.0.1");
    EXPECT_EQ(parsed.header.source_port, 12345);
    EXPECT_EQ(parsed.header.destination_port, 443);
}

TEST(ProxyProtocol, VersionOneInIpv6) {
    const ProxyParse parsed = parse_proxy_header("PROXY TCP6 2001:db8::7 ::1 1 2\r\n");
    ASSERT_EQ(parsed.state, State::complete) << parsed.problem;
    EXPECT_EQ(parsed.header.source.text(), "2001:db8::7");
}

TEST(ProxyProtocol, UnknownKeepsTheSocketsAddress) {
    for (const std::string line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f::1 ::1 6 7\r\n"}) {
        const ProxyParse parsed = parse_proxy_header(line + "x");
        ASSERT_EQ(parsed.state, State::complete) << line;
        EXPECT_EQ(parsed.size, line.size());
        EXPECT_TRUE(parsed.header.local);
    }
}

TEST(ProxyProtocol, VersionTwo) {
    const ProxyParse v4 = parse_proxy_header(v2(0x21, 0x11, kV4Addresses) + "rest");
    ASSERT_EQ(v4.state, State::complete) << v4.problem;
    EXPECT_EQ(v4.size, 28U);
    EXPECT_EQ(v4.header.source.text(), "203.0.113.7");
    EXPECT_EQ(v4.header.source_port, 12345);
    EXPECT_EQ(v4.header.destination.text(), "10.0.0.1");
    EXPECT_EQ(v4.header.destination_port, 443);
    const ProxyParse v6 = parse_proxy_header(v2(0x21, 0x21, v6_addresses()));
    ASSERT_EQ(v6.state, State::complete) << v6.problem;
    EXPECT_EQ(v6.header.source.text(), "2001::7");
    EXPECT_EQ(v6.header.source_port, 0x50);
}

TEST(ProxyProtocol, VersionTwoWithoutAnAddressOfUse) {
    const std::vector<std::string> headers = {v2(0x20, 0x00, ""), v2(0x20, 0x11, kV4Addresses),
                                              v2(0x20, 0xff, "junk"), v2(0x21, 0x00, "tlvs"),
                                              v2(0x21, 0x31, std::string(216, 'u'))};
    for (const std::string& header : headers) {
        const ProxyParse parsed = parse_proxy_header(header + "x");
        ASSERT_EQ(parsed.state, State::complete) << parsed.problem;
        EXPECT_EQ(parsed.size, header.size());
        EXPECT_TRUE(parsed.header.local);
    }
}

TEST(ProxyProtocol, TlvsAreSkippedUpToABound) {
    const std::string rest = kV4Addresses + std::string(4096 - 16 - 12, 't');
    const ProxyParse parsed = parse_proxy_header(v2(0x21, 0x11, rest) + "GET");
    ASSERT_EQ(parsed.state, State::complete);
    EXPECT_EQ(parsed.size, 4096U);
    EXPECT_EQ(parse_proxy_header(v2(0x21, 0x11, rest + "t")).state, State::bad);
    EXPECT_EQ(parse_proxy_header(v2(0x21, 0x11, "", 65'535)).state, State::bad);
}

TEST(ProxyProtocol, EveryPieceOfAHeaderIsIncomplete) {
    const std::vector<std::string> headers = {"PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n",
                                              "PROXY UNKNOWN\r\n", v2(0x21, 0x11, kV4Addresses),
                                              v2(0x21, 0x21, v6_addresses() + "tlv")};
    for (const std::string& header : headers) {
        for (std::size_t size = 0; size < header.size(); ++size) {
            EXPECT_EQ(parse_proxy_header(header.substr(0, size)).state, State::incomplete) << size;
        }
        EXPECT_EQ(parse_proxy_header(header).state, State::complete);
    }
}

TEST(ProxyProtocol, WhatIsNoHeaderIsToldAtOnce) {
    const std::vector<std::string> bytes = {
        "G",
        "GET / HTTP/1.1\r\n\r\n",
        "PROXY\t",
        "PROXY tcp4",
        "\r\n\r\nx",
        "\x16\x03\x01",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n",
        "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 \r\n",
        "PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY UNKNOWN \x01\r\n",
        "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n",
        v2(0x11, 0x11, kV4Addresses),
        v2(0x22, 0x11, kV4Addresses),
        v2(0x21, 0x41, kV4Addresses),
        v2(0x21, 0x12, kV4Addresses),
        v2(0x21, 0x13, kV4Addresses),
        v2(0x21, 0x11, kV4Addresses.substr(1)),
        v2(0x21, 0x21, kV4Addresses),
        v2(0x21, 0x31, v6_addresses()),
    };
    for (const std::string& each : bytes) {
        const ProxyParse parsed = parse_proxy_header(each);
        // "PROXY tcp4" is known to be wrong only with its line's end.
        const bool open = each == "PROXY tcp4";
        EXPECT_EQ(parsed.state, open ? State::incomplete : State::bad) << each;
        EXPECT_EQ(parsed.problem.empty(), open) << each;
    }
}

TEST(ProxyProtocol, ALineHasAtMost107Bytes) {
    const std::string start = "PROXY UNKNOWN ";
    const std::string longest = start + std::string(105 - start.size(), 'x');
    EXPECT_EQ(parse_proxy_header(longest + "\r\n").state, State::complete);
    EXPECT_EQ(parse_proxy_header(longest + "x\r\n").state, State::bad);
    EXPECT_EQ(parse_proxy_header(longest + "x").state, State::incomplete);
    EXPECT_EQ(parse_proxy_header(longest + "xx").state, State::bad);
}

ProxyHeader between(const char* source, const char* destination) {
    return {false, *IpAddress::parse(source), *IpAddress::parse(destination), 12345, 443};
}

TEST(ProxyProtocol, WritesWhatItReads) {
    for (const auto& header : {between("203.0.113.7", "10.0.0.1"), between("2001:db8::7", "::1")}) {
        std::string one, two;
        append_proxy_v1(one, header);
        append_proxy_v2(two, header);
        for (const std::string& bytes : {one, two}) {
            const ProxyParse parsed = parse_proxy_header(bytes);
            ASSERT_EQ(parsed.state, State::complete) << bytes;
            EXPECT_EQ(parsed.size, bytes.size());
            EXPECT_EQ(parsed.header.source, header.source);
            EXPECT_EQ(parsed.header.destination, header.destination);
            EXPECT_EQ(parsed.header.source_port, 12345);
            EXPECT_EQ(parsed.header.destination_port, 443);
        }
    }
}

TEST(ProxyProtocol, MixedFamiliesAreWrittenAsIpv6) {
    std::string line;
    append_proxy_v1(line, between("203.0.113.7", "2001:db8::1"));
    EXPECT_EQ(line, "PROXY TCP6 ::ffff:203.0.113.7 2001:db8::1 12345 443\r\n");
    std::string bytes;
    append_proxy_v2(bytes, between("203.0.113.7", "2001:db8::1"));
    EXPECT_EQ(parse_proxy_header(bytes).header.source.text(), "203.0.113.7");
}

TEST(ProxyProtocol, WithoutAnAddress) {
    std::string one, two;
    append_proxy_v1(one, {});
    append_proxy_v2(two, {});
    EXPECT_EQ(one, "PROXY UNKNOWN\r\n");
    EXPECT_EQ(two, v2(0x20, 0x00, ""));
}

}  // namespace
}  // namespace proxyd::net
