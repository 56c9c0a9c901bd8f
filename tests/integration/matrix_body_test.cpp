// Bodies, trailers and 1xx answers, for every pair of versions.
#include "support/digest.hpp"
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixBody : public Matrix {};

constexpr std::size_t kSizes[] = {0, 1, 1000, 16'384, 65'536, 1U << 20U, 8U << 20U};

// Buffered and streamed in turn.
std::vector<Config> both_ways() {
    Config streamed;
    streamed.host = "request_buffering: off\nbuffering: off";
    return {Config{}, streamed};
}

TEST_P(MatrixBody, RequestBodiesOfEverySizeArrive) {
    auto& upstream = serve();
    for (const auto& setup : both_ways()) {
        start(setup);
        auto client = new_client();
        for (const auto size : kSizes) {
            for (const bool sized : {true, false}) {
                SCOPED_TRACE(std::to_string(size) + (sized ? " with" : " without") + " length");
                const auto body = pattern(size, size + 1);
                auto request = post(body);
                if (!sized) request.length.reset();
                request.chunked = !sized;
                const auto answer = client->ask(request);
                ASSERT_EQ(answer.status, 200);
                const auto seen = upstream.last_request();
                EXPECT_EQ(seen.size, size);
                EXPECT_EQ(seen.digest, digest_of(body));
                // HTTP/2 says that there is no body with the head itself.
                if (sized && (size > 0 || up_is(Version::h1))) {
                    EXPECT_EQ(seen.fields.value("Content-Length"), std::to_string(size));
                }
            }
        }
    }
}

TEST_P(MatrixBody, AnswerBodiesOfEverySizeArrive) {
    serve_handled([](const Incoming& request) {
        const auto size = std::stoul(request.path.substr(2));
        Give answer = give(pattern(size, size + 1));
        answer.sized = request.path[1] == 's';
        return answer;
    });
    for (const auto& setup : both_ways()) {
        start(setup);
        auto client = new_client();
        for (const auto size : kSizes) {
            for (const std::string kind : {"s", "c"}) {
                SCOPED_TRACE(kind + std::to_string(size));
                const auto answer = client->get("/" + kind + std::to_string(size));
                ASSERT_EQ(answer.status, 200);
                EXPECT_EQ(answer.end, End::whole);
                EXPECT_EQ(answer.size, size);
                EXPECT_EQ(answer.digest, digest_of(pattern(size, size + 1)));
                if (kind == "s") {
                    EXPECT_EQ(answer.fields.value("Content-Length"), std::to_string(size));
                }
            }
        }
    }
}

TEST_P(MatrixBody, PiecesPassAsTheyComeWhenStreamed) {
    serve([](Served& served) {
        served.answer_head(200, {});
        for (;;) {
            const auto bytes = served.read();
            if (bytes.empty()) break;
            served.send("<" + bytes + ">");
        }
        served.finish();
    });
    start({.host = "request_buffering: off\nbuffering: off"});
    auto request = ask_for("/");
    request.method = "POST";
    request.chunked = true;
    const auto sent = client().stream(request);
    ASSERT_NE(sent, nullptr);
    sent->send("first");
    auto answer = sent->read_head();
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(sent->read_exactly(7), "<first>");
    sent->send("second");
    EXPECT_EQ(sent->read_exactly(8), "<second>");
    sent->finish();
    sent->read_rest(answer);
    EXPECT_EQ(answer.end, End::whole);
}

TEST_P(MatrixBody, TrailersPassBothWays) {
    auto& upstream = serve_handled([](const Incoming&) {
        Give answer = give("body");
        answer.sized = false;
        answer.trailers = {{"X-Sum", "abc"}, {"Grpc-Status", "0"}};
        return answer;
    });
    for (const auto& setup : both_ways()) {
        start(setup);
        auto client = new_client();
        auto request = ask_for("/");
        request.method = "POST";
        request.body = "upload";
        request.chunked = true;
        request.fields.add("TE", "trailers");
        if (down_is(Version::h1)) request.fields.add("Connection", "TE");
        request.trailers = {{"X-Upload-Sum", "def"}};
        const auto answer = client->ask(request);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "body");
        EXPECT_EQ(answer.end, End::whole);
        EXPECT_EQ(answer.trailers.value("X-Sum"), "abc");
        EXPECT_EQ(answer.trailers.value("Grpc-Status"), "0");
        EXPECT_EQ(upstream.last_request().body, "upload");
        EXPECT_EQ(upstream.last_request().trailers.value("X-Upload-Sum"), "def");
    }
}

TEST_P(MatrixBody, ContinueComesBeforeTheBody) {
    auto& upstream = serve();
    for (const auto& setup : both_ways()) {
        start(setup);
        auto client = new_client();
        auto request = ask_for("/");
        request.method = "POST";
        request.length = 5;
        request.fields.add("Expect", "100-continue");
        const auto sent = client->stream(request);
        ASSERT_NE(sent, nullptr);
        EXPECT_EQ(sent->next_head().status, 100);
        sent->send("hello");
        sent->finish();
        EXPECT_EQ(sent->answer().status, 200);
        EXPECT_EQ(upstream.last_request().body, "hello");
    }
}

TEST_P(MatrixBody, EarlyHintsComeBeforeTheAnswer) {
    Gate& seen = new_gate();
    serve([&](Served& served) {
        served.receive();
        served.interim(103, {{"Link", "</style.css>; rel=preload"}});
        static_cast<void>(seen.wait());
        served.reply(give("done"));
    });
    start();
    const auto sent = client().open(ask_for("/"));
    ASSERT_NE(sent, nullptr);
    const auto hints = sent->next_head();
    seen.open();
    EXPECT_EQ(hints.status, 103);
    EXPECT_EQ(hints.fields.value("Link"), "</style.css>; rel=preload");
    const auto answer = sent->answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "done");
    EXPECT_FALSE(answer.fields.has("Link"));
}

TEST_P(MatrixBody, AnswersWithoutABodyHaveNone) {
    auto& upstream = serve_handled([](const Incoming& request) {
        Give answer = give("twelve bytes");
        if (request.path == "/204") answer = give("", 204);
        if (request.path == "/304") answer = give("", 304);
        answer.fields.add("ETag", "\"e\"");
        return answer;
    });
    start();
    for (int round = 0; round < 2; ++round) {
        auto head = ask_for("/");
        head.method = "HEAD";
        const auto of_head = ask(head);
        EXPECT_EQ(of_head.status, 200);
        EXPECT_EQ(of_head.fields.value("Content-Length"), "12");
        EXPECT_EQ(of_head.end, End::whole);
        EXPECT_EQ(of_head.size, 0U);
        for (const int status : {204, 304}) {
            const auto answer = get("/" + std::to_string(status));
            EXPECT_EQ(answer.status, status);
            EXPECT_EQ(answer.size, 0U);
            EXPECT_EQ(answer.end, End::whole);
            EXPECT_EQ(answer.fields.value("ETag"), "\"e\"");
        }
        EXPECT_EQ(get("/").body, "twelve bytes");
    }
    EXPECT_EQ(client().connections(), 1);
    EXPECT_EQ(upstream.heads(), 8);
}

TEST_P(MatrixBody, SmallerUploadThanDeclaredIsNoRequest) {
    auto& upstream = serve([](Served& served) {
        if (served.receive().end == End::whole) served.reply(give("whole"));
    });
    start({.host = "request_buffering: off"});
    auto request = ask_for("/");
    request.method = "POST";
    request.length = 10;
    const auto sent = client().stream(request);
    ASSERT_NE(sent, nullptr);
    sent->send("five.");
    ASSERT_TRUE(upstream.wait_for_heads(1));
    if (down_is(Version::h2)) {
        sent->finish();
    } else {
        sent->vanish();
    }
    EXPECT_TRUE(upstream.wait_for_left(1));
    EXPECT_TRUE(upstream.requests().empty());
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixBody, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
