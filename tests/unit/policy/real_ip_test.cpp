#include "proxyd/policy/real_ip.hpp"

#include <gtest/gtest.h>

namespace proxyd::policy {
namespace {

config::Snapshot snapshot(std::string field = "X-Forwarded-For") {
    config::Snapshot result;
    result.trusted_proxies = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::1")};
    result.real_ip_header = std::move(field);
    return result;
}

ClientAddress resolve(const config::Snapshot& config, std::string_view peer,
                      std::initializer_list<std::pair<const char*, const char*>> headers,
                      Arena& arena) {
    http::HeaderMap fields;
    for (const auto& [name, value] : headers) fields.add(name, value);
    return RealIp(config).resolve(peer, 4711, fields, arena);
}

TEST(RealIp, WalksFromRightToLeftOverTrustedAddresses) {
    const auto config = snapshot();
    const struct {
        const char *peer, *value, *client;
    } rows[] = {
        {"10.0.0.1", "1.1.1.1, 2.2.2.2", "2.2.2.2"},
        {"10.0.0.1", "1.1.1.1, 10.0.0.2", "1.1.1.1"},
        {"10.0.0.1", "1.1.1.1, 2.2.2.2, 10.0.0.3 , 10.0.0.2", "2.2.2.2"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "unknown", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1, junk, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "1.1.1.1:99", "1.1.1.1"},
        {"10.0.0.1", "[2001:DB8::0:1]:99", "2001:db8::1"},
        {"10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"},
        {"::1", "1.1.1.1", "1.1.1.1"},
        {"::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"11.0.0.1", "1.1.1.1", "11.0.0.1"},
        {"unix:", "1.1.1.1", "unix:"},
    };
    for (const auto& row : rows) {
        Arena arena;
        const auto client = resolve(config, row.peer, {{"X-Forwarded-For", row.value}}, arena);
        EXPECT_EQ(client.text, row.client) << row.peer << " " << row.value;
    }
}

TEST(RealIp, SeveralLinesAreOneList) {
    Arena arena;
    const auto client =
        resolve(snapshot(), "10.0.0.1",
                {{"X-Forwarded-For", "3.3.3.3"}, {"X-Forwarded-For", "10.0.0.2"}}, arena);
    EXPECT_EQ(client.text, "3.3.3.3");
    EXPECT_TRUE(client.trusted);
    EXPECT_EQ(client.port, 0);
}

TEST(RealIp, ReadsTheFieldThatIsConfigured) {
    Arena arena;
    EXPECT_EQ(resolve(snapshot("Forwarded"), "10.0.0.1",
                      {{"Forwarded", "for=1.1.1.1, for=\"[2001:db8::7]:80\";proto=https"},
                       {"X-Forwarded-For", "9.9.9.9"}},
                      arena)
                  .text,
              "2001:db8::7");
    EXPECT_EQ(resolve(snapshot("X-Client-IP"), "10.0.0.1",
                      {{"x-client-ip", "4.4.4.4"}, {"X-Forwarded-For", "9.9.9.9"}}, arena)
                  .text,
              "4.4.4.4");
}

TEST(RealIp, WithoutTrustedProxiesNobodyIsBelieved) {
    Arena arena;
    const config::Snapshot none;
    const auto client = resolve(none, "10.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}}, arena);
    EXPECT_EQ(client.text, "10.0.0.1");
    EXPECT_EQ(client.port, 4711);
    EXPECT_FALSE(client.trusted);
}

}  // namespace
}  // namespace proxyd::policy
