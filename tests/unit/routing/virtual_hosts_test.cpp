#include "routing/virtual_hosts.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/routing/fixture.hpp"

namespace proxyd::routing {
namespace {

using testing::host;
using testing::table;

std::string name_of(const RoutedHost* host) {
    return host ? host->config->name : "none";
}

TEST(VirtualHosts, ChoosesInTheOrderOfNames) {
    const auto hosts = table({
        host({"~^v\\d+\\.example\\.com$"}),
        host({"~example"}),
        host({"*.example.com"}),
        host({"*.deep.example.com"}),
        host({"www.example.*"}),
        host({"www.*"}),
        host({"App.Example.com", "alias.test"}),
        host({".both.test"}),
        host({"[::1]"}),
    });
    const struct {
        const char *authority, *expected;
    } rows[] = {
        {"app.example.com", "App.Example.com"},
        {"APP.EXAMPLE.COM.:8080", "App.Example.com"},
        {"alias.test", "App.Example.com"},
        {"x.example.com", "*.example.com"},
        {"x.y.example.com", "*.example.com"},
        {"x.deep.example.com", "*.deep.example.com"},
        {"deep.example.com", "*.example.com"},
        {"www.example.com", "*.example.com"},
        {"www.example.org", "www.example.*"},
        {"www.example.co.uk", "www.example.*"},
        {"www.test", "www.*"},
        {"V12.Example.Org", "~example"},
        {"v12.example.com", "*.example.com"},
        {"example.com", "~example"},
        {"both.test", ".both.test"},
        {"a.both.test:1", ".both.test"},
        {"[::1]:80", "[::1]"},
        {"nobody.test", "none"},
        {"www", "none"},
        {"", "none"},
        {".example.net", "~example"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(name_of(hosts->find_host(row.authority, "http")), row.expected) << row.authority;
    }
}

TEST(VirtualHosts, FirstRegexInFileOrder) {
    const auto hosts = table({host({"~^b"}), host({"~^a"}), host({"~^ab"}), host({"~c$"})});
    EXPECT_EQ(name_of(hosts->find_host("abc", "http")), "~^a");
    EXPECT_EQ(name_of(hosts->find_host("BC", "http")), "~^b");
    EXPECT_EQ(name_of(hosts->find_host("xc", "http")), "~c$");
    EXPECT_EQ(name_of(hosts->find_host("x", "http")), "none");
}

TEST(VirtualHosts, StarTakesTheRestAndRequestsWithoutHost) {
    const auto hosts = table({host({"*"}), host({"~^$"}), host({"a"})});
    EXPECT_EQ(name_of(hosts->find_host("", "http")), "*");
    EXPECT_EQ(name_of(hosts->find_host("b", "http")), "*");
    EXPECT_EQ(name_of(hosts->find_host("a", "http")), "a");
}

TEST(VirtualHosts, ListenLimitsAHostToItsListeners) {
    auto bound = host({"a"});
    bound.listen = {"other"};
    const auto hosts = table({bound, host({"*.a"}), host({"*"})});
    EXPECT_EQ(name_of(hosts->find_host("a", "http")), "*");
    EXPECT_EQ(name_of(hosts->find_host("a", "other")), "a");
    EXPECT_EQ(name_of(hosts->find_host("a", "unheard-of")), "*");
    EXPECT_EQ(name_of(hosts->find_host("b.a", "other")), "*.a");
}

TEST(VirtualHosts, TenThousandNames) {
    std::vector<config::Host> all;
    for (int i = 0; i < 10'000; ++i) all.push_back(host({"h" + std::to_string(i) + ".test"}));
    const auto hosts = table(std::move(all));
    for (int i = 0; i < 10'000; i += 37) {
        const std::string name = "H" + std::to_string(i) + ".Test";
        EXPECT_EQ(hosts->find_host(name, "http")->index, static_cast<std::size_t>(i));
    }
    EXPECT_EQ(hosts->find_host("h10000.test", "http"), nullptr);
}

}  // namespace
}  // namespace proxyd::routing
