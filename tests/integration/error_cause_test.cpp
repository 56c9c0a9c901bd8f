// The cause of an error is for the operator's own machine: not for a client behind a proxy there.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
trusted_proxies: [127.0.0.1]
hosts: { "*": "127.0.0.1:@DEAD@" }
)";

TEST(ErrorCause, IsOnThePageOfALoopbackClient) {
    Daemon daemon(kConfig);
    const auto page = get_once(daemon.http(), "/");
    EXPECT_EQ(page.status, 502);
    EXPECT_NE(page.body.find(daemon.marks().value("DEAD")), std::string::npos) << page.body;
}

TEST(ErrorCause, IsNotOnThePageOfAClientBehindALoopbackProxy) {
    Daemon daemon(kConfig);
    for (const auto* address : {"203.0.113.7", "2001:db8::7", "127.0.0.9"}) {
        const auto page =
            get_once(daemon.http(), "/", "X-Forwarded-For: " + std::string(address) + "\r\n");
        EXPECT_EQ(page.status, 502);
        EXPECT_EQ(page.body.find(daemon.marks().value("DEAD")), std::string::npos) << page.body;
        EXPECT_NE(page.body.find("upstream_refused"), std::string::npos) << page.body;
    }
    // The log has it for everyone.
    EXPECT_TRUE(daemon.wait_for_log("203.0.113.7"));
    EXPECT_NE(daemon.log().find(daemon.marks().value("DEAD")), std::string::npos);
}

}  // namespace
}  // namespace proxyd::test
