// Clients that leave, and uploads that end early, for every pair of versions.
#include "support/digest.hpp"
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixAbort : public Matrix {
  protected:
    std::unique_ptr<Sent> upload(const std::string& path, std::size_t length) {
        auto request = ask_for(path);
        request.method = "POST";
        request.length = length;
        return client().stream(request);
    }
};

TEST_P(MatrixAbort, CancelBeforeTheAnswerReachesTheUpstream) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        static_cast<void>(served.wait_for_leave());
    });
    start();
    const auto sent = client().open(ask_for("/"));
    ASSERT_NE(sent, nullptr);
    ASSERT_TRUE(upstream.wait_for_heads(1));
    sent->cancel();
    EXPECT_TRUE(upstream.wait_for_left(1, Duration(3000)));
    EXPECT_EQ(daemon().access(0)["status"].text(), "499");
}

TEST_P(MatrixAbort, VanishedClientReachesTheUpstream) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        static_cast<void>(served.wait_for_leave());
    });
    start();
    const auto sent = client().open(ask_for("/"));
    ASSERT_NE(sent, nullptr);
    ASSERT_TRUE(upstream.wait_for_heads(1));
    sent->vanish();
    EXPECT_TRUE(upstream.wait_for_left(1, Duration(3000)));
    EXPECT_EQ(daemon().access(0)["status"].text(), "499");
}

TEST_P(MatrixAbort, CancelInsideTheAnswerReachesTheUpstream) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        served.answer_head(200, {});
        served.send("first");
        static_cast<void>(served.wait_for_leave());
    });
    start({.host = "buffering: off"});
    const auto sent = client().open(ask_for("/"));
    ASSERT_NE(sent, nullptr);
    EXPECT_EQ(sent->read_head().status, 200);
    EXPECT_EQ(sent->read_exactly(5), "first");
    sent->cancel();
    EXPECT_TRUE(upstream.wait_for_left(1, Duration(3000)));
}

TEST_P(MatrixAbort, OneCancelLeavesTheOthersAlone) {
    Gate& go_on = new_gate();
    auto& upstream = serve([&](Served& served) {
        served.receive();
        if (served.head().path == "/left") {
            static_cast<void>(served.wait_for_leave());
            return;
        }
        static_cast<void>(go_on.wait());
        served.reply(give("stayed"));
    });
    start();
    const auto left = client().open(ask_for("/left"));
    const auto stays = client().open(ask_for("/stays"));
    ASSERT_TRUE(left != nullptr && stays != nullptr);
    ASSERT_TRUE(upstream.wait_for_heads(2));
    left->cancel();
    EXPECT_TRUE(upstream.wait_for_left(1));
    go_on.open();
    EXPECT_EQ(stays->answer().body, "stayed");
}

TEST_P(MatrixAbort, CutUploadIsACutForTheUpstream) {
    auto& upstream = serve([](Served& served) {
        if (served.receive().end == End::whole) served.reply(give("whole"));
    });
    start({.host = "request_buffering: off"});
    for (const bool with_length : {true, false}) {
        auto request = ask_for("/");
        request.method = "POST";
        request.chunked = !with_length;
        if (with_length) request.length = 1000;
        const auto sent = client().stream(request);
        ASSERT_NE(sent, nullptr);
        sent->send("a part");
        ASSERT_TRUE(upstream.wait_for_heads(with_length ? 1 : 2));
        sent->cancel();
        EXPECT_TRUE(upstream.wait_for_left(with_length ? 1 : 2));
    }
    EXPECT_TRUE(upstream.requests().empty()) << "half an upload looked whole";
}

TEST_P(MatrixAbort, BufferedUploadThatIsCutNeverReachesTheUpstream) {
    auto& upstream = serve();
    start();
    const auto sent = upload("/", 1000);
    ASSERT_NE(sent, nullptr);
    sent->send("a part");
    sent->cancel();
    EXPECT_EQ(get("/next").status, 200);
    EXPECT_EQ(upstream.heads(), 1);
}

TEST_P(MatrixAbort, EarlyAnswerStopsTheUpload) {
    auto& upstream = serve([](Served& served) {
        served.answer_head(413, {}, 5);
        served.send("early");
        served.finish();
        if (served.head().path == "/stays") static_cast<void>(served.wait_for_leave(Duration(300)));
    });
    start({.host = "request_buffering: off"});
    for (const std::string path : {"/", "/stays"}) {
        SCOPED_TRACE(path);
        const auto sent = upload(path, 100'000'000);
        ASSERT_NE(sent, nullptr);
        sent->send(std::string(1000, 'x'));
        const auto answer = sent->answer();
        EXPECT_EQ(answer.status, 413);
        EXPECT_EQ(answer.body, "early");
        EXPECT_EQ(answer.end, End::whole);
    }
    EXPECT_EQ(upstream.heads(), 2);
}

TEST_P(MatrixAbort, StoppedUpstreamHoldsTheUpload) {
    Gate& go_on = new_gate();
    serve([&](Served& served) {
        if (!go_on.wait(std::chrono::minutes(1))) return;
        const auto request = served.receive();
        served.reply(give(std::to_string(request.size)));
    });
    start({.host = "request_buffering: off"});
    constexpr std::size_t kTotal = 64U << 20U;
    const auto sent = upload("/", kTotal);
    ASSERT_NE(sent, nullptr);
    const std::string block(65'536, 'x');
    std::size_t given = 0;
    while (given < kTotal && sent->send(block, Duration(500)) == IoStatus::Ok)
        given += block.size();
    // With HTTP/1.1 the kernel holds some MiB on both sides; HTTP/2 has its windows on top.
    EXPECT_LT(given, 40U << 20U);
    EXPECT_TRUE(daemon().sanitized() || daemon().rss_kib() < 100U << 10U) << daemon().rss_kib();
    sent->cancel();
    go_on.open();
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixAbort, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
