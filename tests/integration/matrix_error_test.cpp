// Upstreams that fail, for every pair of versions.
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixError : public Matrix {
  protected:
    std::string reason(std::size_t line = 0) { return daemon().access(line)["reason"].text(); }
};

TEST_P(MatrixError, RefusedConnectionIs502) {
    serve_nothing();
    start();
    const auto answer = get("/");
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(reason(), "upstream_refused");
}

TEST_P(MatrixError, SilentUpstreamIs504) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        static_cast<void>(served.wait_for_leave());
    });
    start({.upstream = "timeouts: { read: 200ms }"});
    const auto answer = ask(post("x"));
    EXPECT_EQ(answer.status, 504);
    EXPECT_EQ(reason(), "upstream_timeout_read");
    EXPECT_TRUE(upstream.wait_for_left(1)) << "the upstream still works";
}

TEST_P(MatrixError, TotalTimeIs504) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        static_cast<void>(served.wait_for_leave());
    });
    start({.host = "timeouts: { total: 200ms }"});
    EXPECT_EQ(ask(post("x")).status, 504);
    EXPECT_EQ(reason(), "timeout_total");
    EXPECT_TRUE(upstream.wait_for_left(1));
}

TEST_P(MatrixError, CloseBeforeTheHeadIs502) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        served.cut();
    });
    start();
    const auto answer = ask(post("x"));
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_FALSE(reason().empty());
    EXPECT_EQ(upstream.heads(), 1) << "a POST was sent again";
    EXPECT_TRUE(daemon().running());
}

TEST_P(MatrixError, ResetBeforeTheHeadIs502) {
    auto& upstream = serve([](Served& served) {
        served.receive();
        served.reset();
    });
    start();
    EXPECT_EQ(ask(post("x")).status, 502);
    EXPECT_EQ(reason(), "upstream_reset");
    EXPECT_EQ(upstream.heads(), 1);
}

TEST_P(MatrixError, BrokenBodyNeverLooksComplete) {
    for (const bool buffered : {true, false}) {
        for (const bool sized : {true, false}) {
            for (const bool with_reset : {true, false}) {
                SCOPED_TRACE(std::string(buffered ? "buffered" : "streamed") +
                             (sized ? ", length" : ", no length") +
                             (with_reset ? ", reset" : ", closed"));
                // One of the two ways is enough where TLS stands between.
                if (with_reset && GetParam().up_tls && up_is(Version::h1)) continue;
                Gate& read = new_gate();
                serve([&, sized, with_reset](Served& served) {
                    served.receive();
                    std::optional<std::size_t> length;
                    if (sized) length = 100;
                    served.answer_head(200, {}, length);
                    served.send("only this");
                    static_cast<void>(read.wait(Duration(300)));
                    with_reset ? served.reset() : served.cut();
                });
                start({.upstream = "retry: { attempts: 1 }",
                       .host = buffered ? "buffering: on" : "buffering: off"});
                auto client = new_client();
                const auto sent = client->open(ask_for("/"));
                ASSERT_NE(sent, nullptr);
                auto answer = sent->read_head(Duration(200));
                read.open();
                if (answer.status == 0) answer = sent->read_head();
                sent->read_rest(answer);
                EXPECT_TRUE(answer.status == 502 || answer.end == End::cut)
                    << answer.status << " " << answer.end;
                EXPECT_FALSE(reason().empty());
                forget_servers();
            }
        }
    }
}

TEST_P(MatrixError, OneBrokenAnswerLeavesTheOthersAlone) {
    Gate& go_on = new_gate();
    auto& upstream = serve([&](Served& served) {
        served.receive();
        if (served.head().path == "/broken") {
            served.answer_head(200, {}, 100);
            served.send("part");
            served.reset();
            return;
        }
        served.answer_head(200, {});
        served.send("first ");
        static_cast<void>(go_on.wait());
        served.send("second");
        served.finish();
    });
    start({.host = "buffering: off"});
    const auto good = client().open(ask_for("/good"));
    ASSERT_NE(good, nullptr);
    auto answer = good->read_head();
    EXPECT_EQ(good->read_exactly(6), "first ");
    const auto broken = ask(ask_for("/broken"));
    EXPECT_FALSE(broken.status == 200 && broken.end == End::whole);
    go_on.open();
    good->read_rest(answer);
    EXPECT_EQ(answer.body, "second");
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(upstream.heads(), 2);
}

TEST_P(MatrixError, UpstreamThatRestartsIsFoundAgain) {
    auto& upstream = serve();
    start();
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(get("/").status, 200);
        upstream.drop_connections();
    }
    EXPECT_EQ(get("/").status, 200);
    EXPECT_EQ(upstream.heads(), 4);
}

TEST_P(MatrixError, HugeAnswerHeadIs502) {
    serve_handled([](const Incoming&) {
        Give answer = give("x");
        for (int number = 0; number < 5; ++number) {
            answer.fields.add("X-" + std::to_string(number), std::string(4000, 'x'));
        }
        return answer;
    });
    start({.host = "buffers: { header: 8k }"});
    EXPECT_EQ(get("/").status, 502);
    EXPECT_EQ(reason(), "header_too_large");
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixError, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
