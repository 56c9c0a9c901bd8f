// What gRPC needs of a proxy, for every pair of versions: nothing is held back, trailers arrive.
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixGrpc : public Matrix {
  protected:
    Ask call() const {
        auto request = ask_for("/pkg.Service/Method");
        request.method = "POST";
        request.chunked = true;
        request.fields = {{"Content-Type", "application/grpc"}, {"TE", "trailers"}};
        if (down_is(Version::h1)) request.fields.add("Connection", "TE");
        return request;
    }
};

const Headers kGrpc{{"Content-Type", "application/grpc"}};

TEST_P(MatrixGrpc, TrailersOnlyAnswerKeepsItsStatus) {
    serve([](Served& served) {
        served.receive();
        served.answer_head(200, {{"Content-Type", "application/grpc"}, {"Grpc-Status", "5"}}, 0,
                           true);
    });
    start();
    auto request = call();
    request.body = "message";
    const auto answer = ask(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.fields.value("Grpc-Status"), "5");
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(answer.size, 0U);
}

TEST_P(MatrixGrpc, MessagesPassAsTheyComeInBothDirections) {
    auto& upstream = serve([](Served& served) {
        served.answer_head(200, kGrpc);
        for (;;) {
            const auto bytes = served.read();
            if (bytes.empty()) break;
            served.send("re:" + bytes);
        }
        served.finish({{"Grpc-Status", "0"}, {"Grpc-Message", "fine"}});
    });
    start();
    const auto sent = client().stream(call());
    ASSERT_NE(sent, nullptr);
    auto answer = sent->read_head();
    ASSERT_EQ(answer.status, 200);
    for (int number = 0; number < 20; ++number) {
        const auto message = "message " + std::to_string(number);
        sent->send(message);
        EXPECT_EQ(sent->read_exactly(message.size() + 3), "re:" + message);
    }
    sent->finish();
    sent->read_rest(answer);
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(answer.trailers.value("Grpc-Status"), "0");
    EXPECT_EQ(answer.trailers.value("Grpc-Message"), "fine");
    EXPECT_EQ(upstream.heads(), 1);
}

TEST_P(MatrixGrpc, TeReachesAnUpstreamOfHttp2) {
    auto& upstream = serve_handled([](const Incoming&) { return give(""); });
    start();
    auto request = call();
    request.body = "x";
    EXPECT_EQ(ask(request).status, 200);
    EXPECT_TRUE(up_is(Version::h1) || upstream.last_request().fields.value("TE") == "trailers");
}

TEST_P(MatrixGrpc, CancelledCallIsCancelledUpstream) {
    auto& upstream = serve([](Served& served) {
        served.answer_head(200, kGrpc);
        served.send("first");
        static_cast<void>(served.wait_for_leave());
    });
    start();
    const auto sent = client().stream(call());
    ASSERT_NE(sent, nullptr);
    EXPECT_EQ(sent->read_head().status, 200);
    EXPECT_EQ(sent->read_exactly(5), "first");
    sent->cancel();
    EXPECT_TRUE(upstream.wait_for_left(1, Duration(3000)));
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixGrpc, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
