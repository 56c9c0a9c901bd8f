// The next server, and the requests that never go there, for every pair of versions.
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixRetry : public Matrix {
  protected:
    void serve_hanging_up() {
        bad = &serve([](Served& served) {
            served.receive();
            served.cut();
        });
    }
    void serve_good() {
        good = &serve_handled([](const Incoming& request) { return give("good " + request.body); });
    }
    Backend* bad = nullptr;
    Backend* good = nullptr;
};

TEST_P(MatrixRetry, RefusedServerIsSkippedForEveryMethod) {
    serve_nothing();
    serve_good();
    start();
    EXPECT_EQ(get("/").body, "good ");
    EXPECT_EQ(ask(post("upload")).body, "good upload");
}

TEST_P(MatrixRetry, GetGoesOnWhenTheServerHangsUp) {
    serve_hanging_up();
    serve_good();
    start();
    EXPECT_EQ(get("/").body, "good ");
    EXPECT_EQ(get("/").body, "good ");
    EXPECT_GE(bad->heads(), 1);
}

TEST_P(MatrixRetry, PutBodyIsSentAgain) {
    serve_hanging_up();
    serve_good();
    start();
    auto request = post("same body");
    request.method = "PUT";
    EXPECT_EQ(ask(request).body, "good same body");
    EXPECT_EQ(good->last_request().body, "same body");
}

TEST_P(MatrixRetry, PostIsSentOnce) {
    serve_hanging_up();
    serve_good();
    start();
    EXPECT_EQ(ask(post("x")).status, 502);
    EXPECT_EQ(bad->heads(), 1);
    EXPECT_EQ(good->heads(), 0);
}

TEST_P(MatrixRetry, TimeoutGoesOnForAGet) {
    auto& slow = serve([](Served& served) {
        served.receive();
        static_cast<void>(served.wait_for_leave());
    });
    serve_good();
    start({.upstream = "timeouts: { read: 200ms }"});
    EXPECT_EQ(get("/").body, "good ");
    EXPECT_TRUE(slow.wait_for_left(1));
}

TEST_P(MatrixRetry, ListedStatusGoesOn) {
    serve_handled([](const Incoming&) { return give("bad", 503); });
    serve_good();
    start({.upstream = "retry: { on: [error, http_503] }"});
    EXPECT_EQ(get("/").body, "good ");
}

TEST_P(MatrixRetry, NothingIsRetriedBehindTheFirstByte) {
    bad = &serve([](Served& served) {
        served.receive();
        served.answer_head(200, {}, 100);
        served.send("part");
        served.cut();
    });
    serve_good();
    start({.host = "buffering: off"});
    EXPECT_NE(get("/").end, End::whole);
    EXPECT_EQ(good->heads(), 0);
}

TEST_P(MatrixRetry, StaleConnectionIsRetriedForAGet) {
    serve_good();
    start();
    for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(get("/").body, "good ");
        good->drop_connections();
    }
    EXPECT_EQ(good->heads(), 5);
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixRetry, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
