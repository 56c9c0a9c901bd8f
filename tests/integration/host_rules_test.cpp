// request_headers and Host: a request to an upstream always has exactly one.
#include "support/config_check.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string with_rules(const std::string& rules) {
    return "hosts:\n  app.test:\n    upstream: 3000\n    request_headers:\n      " + rules + "\n";
}

TEST(HostRules, ThatLeaveNoHostAreRefused) {
    for (const std::string rules :
         {"remove: [Host]", "remove: [X-A, hOST]", "set: { Host: \"\" }", "set: { host: null }"}) {
        SCOPED_TRACE(rules);
        const auto verdict = check_config(with_rules(rules));
        EXPECT_EQ(verdict.exit_code, 78) << verdict.text;
        EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:5:"), std::string::npos) << verdict.text;
        EXPECT_NE(verdict.text.find("Host"), std::string::npos) << verdict.text;
    }
    EXPECT_EQ(check_config(with_rules("set: { Host: other.test }")).exit_code, 0);
}

class HostRulesTowardsTheUpstream : public ::testing::Test {
  protected:
    std::vector<std::string> hosts_of(const std::string& rules, const std::string& path) {
        Daemon daemon(
            "hosts: { app.test: { upstream: @UP1@, request_headers: { " + rules + " } } }\n",
            ups(upstream));
        EXPECT_EQ(get_once(daemon.http(), path).status, 200);
        return upstream.last_request().headers.all("Host");
    }

    FakeUpstream upstream;
};

TEST_F(HostRulesTowardsTheUpstream, AddActsAsSet) {
    const std::vector<std::string> expected{"second.test"};
    EXPECT_EQ(hosts_of("add: { Host: second.test }", "/"), expected);
    EXPECT_EQ(hosts_of("set: { Host: second.test }", "/"), expected);
}

TEST_F(HostRulesTowardsTheUpstream, OneThatExpandsToNothingKeepsTheClients) {
    for (const std::string rules : {"set: { Host: \"$arg_h\" }", "add: { Host: \"$arg_h\" }"}) {
        SCOPED_TRACE(rules);
        EXPECT_EQ(hosts_of(rules, "/?h=third.test"), std::vector<std::string>{"third.test"});
        EXPECT_EQ(hosts_of(rules, "/"), std::vector<std::string>{"app.test"});
    }
}

}  // namespace
}  // namespace proxyd::test
