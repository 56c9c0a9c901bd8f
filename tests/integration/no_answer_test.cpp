// return: 444 ends the connection without a byte.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(NoAnswer, Status444ClosesWithoutAByte) {
    Daemon daemon("hosts: { \"*\": { return: 444 } }\n");
    std::size_t asked = 0;
    for (const auto& bytes : {get_request("/"), body_request("POST", "/", "body"),
                              std::string("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n"),
                              get_request("/") + get_request("/behind")}) {
        RawClient client(daemon.http());
        client.send(bytes);
        const auto rest = client.read_until_close(Duration(3000));
        EXPECT_TRUE(rest.closed());
        EXPECT_EQ(rest.text, "");
        EXPECT_EQ(daemon.access(asked++)["status"].text(), "444");
    }
    EXPECT_EQ(daemon.access_lines().size(), asked);
}

}  // namespace
}  // namespace proxyd::test
