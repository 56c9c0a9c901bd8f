// A body that did not come in time ends its connection: what comes later is never a request.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kLateBytes = "cdeGET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

TEST(LateBody, TimeoutClosesTheConnection) {
    for (const std::string buffering : {"on", "off"}) {
        for (const std::string framing :
             {"Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
            SCOPED_TRACE("request_buffering " + buffering + ", " + framing);
            FakeUpstream upstream;
            Daemon daemon(
                "client: { body_timeout: 150ms }\n"
                "hosts: { \"*\": { upstream: @UP1@, request_buffering: " +
                    buffering + " } }\n",
                ups(upstream));
            RawClient client(daemon.http());
            client.send("POST /up HTTP/1.1\r\nHost: app.test\r\n" + framing);
            const auto response = client.read_response();
            EXPECT_EQ(response.status, 408);
            EXPECT_EQ(to_lower(response.headers.value("Connection")), "close");
            client.try_send(kLateBytes);
            const auto rest = client.read_until_close();
            EXPECT_TRUE(rest.closed());
            EXPECT_EQ(rest.text, "");
            EXPECT_EQ(get_once(daemon.http(), "/after").status, 200);
            EXPECT_EQ(daemon.wait_for_access(2).size(), 2U);
            for (const auto& request : upstream.requests()) EXPECT_EQ(request.target, "/after");
            EXPECT_EQ(upstream.request_count(), 1);
        }
    }
}

}  // namespace
}  // namespace proxyd::test
