// One plain port for both versions: the first bytes decide, and nothing of them is lost.
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace proxyd::test {
namespace {

using namespace h2;

void trickle(RawClient& client, std::string_view bytes) {
    for (const char c : bytes) {
        client.send({&c, 1});
        std::this_thread::sleep_for(Duration(1));  // so that the kernel hands them over one by one
    }
}

TEST(H2Detect, BothVersionsAreServedOnOnePort) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    for (int i = 0; i < 3; ++i) {
        H2Client client(daemon.http());
        EXPECT_EQ(client.response(client.get("/two")).status, 200);
        RawClient old(daemon.http());
        EXPECT_EQ(old.get("/one").status, 200);
        EXPECT_EQ(old.get("/one").status, 200);
    }
}

TEST(H2Detect, BytesMayComeOneByOne) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    RawClient old(daemon.http());
    trickle(old, "P");
    trickle(old, "UT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab");
    EXPECT_EQ(old.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().method, "PUT");
    EXPECT_EQ(upstream.last_request().body, "ab");

    H2Options options;
    options.preface = false;
    H2Client client(daemon.http(), options);
    trickle(client.raw(), std::string(kPreface) + frame(kSettings, 0, 0) +
                              frame(kHeaders, kEndHeaders | kEndStream, client.next_stream(),
                                    literals(request_fields("GET", "/trickled"))));
    EXPECT_EQ(client.response(1).status, 200);
}

TEST(H2Detect, LargeFirstReadsAreTakenWhole) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    const std::string body(100'000, 'b');
    RawClient old(daemon.http());
    old.send(body_request("POST", "/", body));
    EXPECT_EQ(old.read_response().status, 200);
    EXPECT_EQ(upstream.last_request().body, body);

    H2Options options;
    options.preface = false;
    H2Client client(daemon.http(), options);
    std::string all = std::string(kPreface) + frame(kSettings, 0, 0);
    for (std::uint32_t i = 0; i < 100; ++i) {
        all += frame(kHeaders, kEndHeaders | kEndStream, client.next_stream(),
                     literals(request_fields("GET", "/", {{"x-fill", std::string(300, 'f')}})));
    }
    client.send(all);
    for (std::uint32_t i = 0; i < 100; ++i) {
        EXPECT_EQ(client.response(2 * i + 1).status, 200);
    }
}

TEST(H2Detect, HeaderTimeoutHoldsBeforeTheDecision) {
    Daemon daemon(
        with_http2("client: { header_timeout: 300ms }\n"
                   "hosts: { app.test: { return: 200 } }\n"));
    for (const std::string start : {"", "PRI * HT"}) {
        RawClient client(daemon.http());
        client.send(start);
        EXPECT_TRUE(client.read_until_close().closed()) << start;
    }
    H2Options options;
    options.preface = false;
    H2Client client(daemon.http(), options);
    client.send(kPreface);
    EXPECT_TRUE(client.closed());
}

TEST(H2Detect, WithoutTheKeyAPrefaceIsNoRequest) {
    FakeUpstream upstream;
    Daemon daemon(kEveryHostH2, ups(upstream));
    RawClient client(daemon.http());
    client.send(std::string(kPreface) + frame(kSettings, 0, 0));
    const auto response = client.read_response();
    EXPECT_TRUE(response.status == 505 || response.status == 400) << response.status;
    EXPECT_TRUE(client.read_until_close().closed());
    EXPECT_EQ(upstream.request_count(), 0);
}

}  // namespace
}  // namespace proxyd::test
