// Sizes of chunks that no number holds.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(ChunkSize, ThatNoBodyCanHaveIs400) {
    for (const std::string buffering : {"on", "off"}) {
        FakeUpstream upstream;
        Daemon daemon("hosts: { \"*\": { upstream: @UP1@, max_body_size: off, request_buffering: " +
                          buffering + " } }\n",
                      ups(upstream));
        for (const std::string size : {"ffffffffffffffff", "8000000000000000", "FFFFFFFFFFFFFFFE",
                                       "10000000000000000", "10000000000000003"}) {
            SCOPED_TRACE("request_buffering " + buffering + ", " + size);
            RawClient client(daemon.http());
            client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                        size + "\r\nabc\r\n0\r\n\r\n");
            ReadOptions options;
            options.limit = Duration(1500);
            const auto response = client.read_response("POST", options);
            ASSERT_EQ(response.status, 400) << response.end;
            EXPECT_TRUE(client.read_until_close(Duration(3000)).closed());
        }
        EXPECT_EQ(upstream.request_count(), 0);
    }
}

}  // namespace
}  // namespace proxyd::test
