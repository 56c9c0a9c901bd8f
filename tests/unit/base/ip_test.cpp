#include "proxyd/base/ip.hpp"

#include <gtest/gtest.h>

namespace proxyd {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(IpAddress::parse("127.0.0.1")->text(), "127.0.0.1");
    EXPECT_FALSE(IpAddress::parse("127.0.0.1")->is_v6());
    EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->text(), "2001:db8::1");
    EXPECT_TRUE(IpAddress::parse("::")->is_v6());
}

TEST(IpAddress, MappedIsIpv4) {
    const auto mapped = IpAddress::parse("::ffff:10.1.2.3");
    EXPECT_FALSE(mapped->is_v6());
    EXPECT_EQ(*mapped, *IpAddress::parse("10.1.2.3"));
}

TEST(IpAddress, RefusesOtherText) {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " ::1",
                             "[::1]", "::1%eth0", "1.2.3.4:80", ":::", "localhost", "1:2:3:4:5:6:7",
                             "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
    EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpAddress, KnowsLoopback) {
    EXPECT_TRUE(IpAddress::parse("127.255.0.9")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("::ffff:127.0.0.1")->is_loopback());
    EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
    EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
    EXPECT_FALSE(IpAddress().is_loopback());
}

TEST(Cidr, ContainsItsAddresses) {
    const struct {
        const char *network, *address;
        bool inside;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.9.9.9/8", "10.0.0.1", true},
        {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "1.2.3.4", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4/32", "1.2.3.5", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::ffff:10.0.0.0/104", "10.1.1.1", true},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
    };
    for (const auto& row : rows) {
        const auto network = Cidr::parse(row.network);
        ASSERT_TRUE(network) << row.network;
        EXPECT_EQ(network->contains(*IpAddress::parse(row.address)), row.inside)
            << row.network << " " << row.address;
    }
}

TEST(Cidr, RefusesOtherText) {
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8",
          "10.0.0.0/08", "10.0.0.0/8x", "10.0.0.0/8/8", "all", "::ffff:10.0.0.0/90"}) {
        EXPECT_FALSE(Cidr::parse(text)) << text;
    }
}

TEST(Cidr, WritesItself) {
    EXPECT_EQ(Cidr::parse("10.0.0.0/8")->text(), "10.0.0.0/8");
    EXPECT_EQ(Cidr::parse("::1")->text(), "::1");
}

}  // namespace
}  // namespace proxyd
