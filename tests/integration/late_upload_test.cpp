// A head that is refused, whose body comes a little later: the client can read why.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(LateUpload, OfARefusedHeadDoesNotResetTheAnswer) {
    struct Case {
        int status;
        std::string fields;
    };
    const Case cases[] = {
        {400, "Host: a\r\nContent-Length: 300000\r\nTransfer-Encoding: chunked\r\n"},
        {400, "Host: a\r\nHost: b\r\nContent-Length: 300000\r\n"},
        {400, "Content-Length: 300000\r\n"},
        {501, "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"},
    };
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const std::string part(100'000, 'x');
    for (const auto& [status, fields] : cases) {
        SCOPED_TRACE(fields);
        RawClient client(daemon.http());
        client.send("POST / HTTP/1.1\r\n" + fields + "\r\n");
        // The answer is there, and the client, busy with its upload, has not looked yet.
        ASSERT_EQ(client.wire().wait_for_event(kLimit), IoStatus::Ok);
        std::this_thread::sleep_for(Duration(100));
        for (int count = 0; count < 3; ++count) {
            EXPECT_EQ(client.try_send(part, Duration(3000)), IoStatus::Ok) << "part " << count;
            std::this_thread::sleep_for(Duration(10));
        }
        const auto response = client.read_response("POST");
        EXPECT_EQ(response.status, status);
        EXPECT_TRUE(response.complete()) << response.end;
        client.half_close();
        EXPECT_EQ(client.read_until_close(Duration(3000)).end, IoStatus::Eof);
    }
    EXPECT_EQ(upstream.heads(), 0);
}

}  // namespace
}  // namespace proxyd::test
