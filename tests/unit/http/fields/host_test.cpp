#include "proxyd/http/fields/host.hpp"

#include <gtest/gtest.h>

namespace proxyd::http {
namespace {

TEST(HostField, DropsPortAndOneTrailingDot) {
    const struct {
        const char *authority, *host, *port;
    } rows[] = {
        {"a.b", "a.b", ""},
        {"A.b:80", "A.b", "80"},
        {"a.b.:80", "a.b", "80"},
        {"a.b..", "a.b.", ""},
        {"[::1]:80", "[::1]", "80"},
        {"[::1]", "[::1]", ""},
        {"a:", "a", ""},
        {"", "", ""},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(host_of(row.authority), row.host);
        EXPECT_EQ(port_of(row.authority), row.port);
    }
}

TEST(HostHash, IgnoresCase) {
    EXPECT_EQ(HostHash{}("App.Example.COM"), HostHash{}("app.example.com"));
    EXPECT_NE(HostHash{}("app.example.com"), HostHash{}("app.example.con"));
    EXPECT_NE(HostHash{}(""), HostHash{}("a"));
    EXPECT_TRUE(HostEqual{}("App.x", "aPP.X"));
    EXPECT_FALSE(HostEqual{}("App.x", "app.y"));
    EXPECT_EQ(lower_case("A-Z.9"), "a-z.9");
}

}  // namespace
}  // namespace proxyd::http
