// An upstream that closes right behind its answer, without saying so: the next request that cannot
// be sent twice gets a connection that lives.
#include "support/frozen.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

// One answer for each connection.
std::unique_ptr<FakeUpstream> one_answer_each() {
    return FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.reply(text_reply("ok"), request.method);
    });
}

void expect_answered(const std::string& request) {
    const auto upstream = one_answer_each();
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    for (int round = 0; round < 10; ++round) {
        ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
        ASSERT_TRUE(upstream->wait_for_open(0));
        RawClient client(daemon.http());
        client.try_send(request, Duration(3000));
        ASSERT_EQ(client.read_response("PUT").status, 200) << "round " << round;
        ASSERT_TRUE(upstream->wait_for_open(0));
    }
}

TEST(ClosedPool, LargePutIsNo502) {
    expect_answered(body_request("PUT", "/put", std::string(600'000, 'x')));
}

TEST(ClosedPool, PostIsNo502) {
    expect_answered(body_request("POST", "/post", "body"));
}

// The close is in the kernel, but the daemon has not been told yet.
void expect_answered_when_closed_in_the_same_moment(bool close_first) {
    Gate close_now;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.reply(text_reply("ok"));
        if (connection.number() == 1) static_cast<void>(close_now.wait());
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n",
                  ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/").status, 200);
    const std::string body(600'000, 'x');
    const auto put = body_request("PUT", "/put", body);
    const auto close = [&] {
        close_now.open();
        EXPECT_TRUE(upstream->wait_for_open(0));
    };
    {
        const Frozen frozen(daemon);
        if (close_first) close();
        client.send(put.substr(0, put.size() - body.size()));
        EXPECT_TRUE(delivered(client.wire()));
        if (!close_first) close();
    }
    client.try_send(body, Duration(3000));
    EXPECT_EQ(client.read_response("PUT").status, 200);
}

TEST(ClosedPool, CloseJustBeforeALargePutIsNo502) {
    expect_answered_when_closed_in_the_same_moment(true);
}

TEST(ClosedPool, CloseInTheSameMomentAsALargePutIsNo502) {
    expect_answered_when_closed_in_the_same_moment(false);
}

}  // namespace
}  // namespace proxyd::test
