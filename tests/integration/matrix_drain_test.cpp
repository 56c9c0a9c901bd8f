// A stop and a reload lose no request, for every pair of versions; and what the log says of it.
#include "support/protocol/matrix.hpp"

#include <atomic>
#include <csignal>
#include <thread>

namespace proxyd::test::protocol {
namespace {

class MatrixDrain : public Matrix {
  protected:
    // Clients that ask one request behind the other; a connection that says goodbye between two
    // of them is opened again.
    void load_until(const std::atomic<bool>& done, bool expect_end) {
        std::vector<std::thread> threads;
        for (int number = 0; number < 4; ++number) {
            threads.emplace_back([&] {
                const auto mine = new_client();
                while (!done) {
                    const auto sent = mine->open(ask_for("/load"));
                    if (sent == nullptr && expect_end) return;
                    const auto answer = sent == nullptr ? Answer{} : sent->answer();
                    if (answer.status == 0 && expect_end) return;  // closed before it was taken
                    answer.status == 200 && answer.whole() ? ++good : ++lost;
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::atomic<int> good = 0;
    std::atomic<int> lost = 0;
};

TEST_P(MatrixDrain, QuitAnswersWhatRunsAndTellsTheClient) {
    Gate& go_on = new_gate();
    auto& upstream = serve([&](Served& served) {
        const auto request = served.receive();
        served.answer_head(200, {});
        served.send("first ");
        static_cast<void>(go_on.wait());
        served.send("second for " + request.path);
        served.finish();
    });
    start({.host = "buffering: off"});
    std::vector<std::unique_ptr<Sent>> all;
    for (int number = 0; number < 10; ++number) {
        all.push_back(client().open(ask_for("/" + std::to_string(number))));
        ASSERT_NE(all.back(), nullptr);
    }
    ASSERT_TRUE(upstream.wait_for_heads(10));
    daemon().signal(SIGQUIT);
    ASSERT_TRUE(daemon().notify().wait_for("STOPPING=1"));
    if (down_is(Version::h2)) {
        EXPECT_TRUE(client().told_to_go()) << "no GOAWAY";
    }
    go_on.open();
    for (int number = 0; number < 10; ++number) {
        const auto answer = all[number]->answer();
        EXPECT_EQ(answer.body, "first second for /" + std::to_string(number));
        EXPECT_EQ(answer.end, End::whole);
    }
    all.clear();
    EXPECT_TRUE(client().told_to_go());
    EXPECT_EQ(daemon().wait_exit(), (ExitStatus{0, 0}));
}

TEST_P(MatrixDrain, QuitEndsIdleConnectionsAtOnce) {
    serve();
    start({.top = "shutdown_timeout: 60s"});
    EXPECT_EQ(get("/").status, 200);
    daemon().signal(SIGQUIT);
    EXPECT_TRUE(client().told_to_go());
    EXPECT_EQ(daemon().wait_exit(Duration(10'000)), (ExitStatus{0, 0}));
}

TEST_P(MatrixDrain, TermNeverMakesACutAnswerLookWhole) {
    auto& upstream = serve([&](Served& served) {
        served.receive();
        served.answer_head(200, {});
        served.send("first");
        static_cast<void>(served.wait_for_leave());
    });
    start({.host = "buffering: off"});
    const auto sent = client().open(ask_for("/"));
    ASSERT_NE(sent, nullptr);
    auto answer = sent->read_head();
    EXPECT_EQ(sent->read_exactly(5), "first");
    daemon().signal(SIGTERM);
    sent->read_rest(answer);
    EXPECT_EQ(answer.end, End::cut);
    EXPECT_TRUE(upstream.wait_for_left(1));
    EXPECT_EQ(daemon().wait_exit().code, 0);
}

TEST_P(MatrixDrain, ReloadUnderLoadLosesNothing) {
    auto& upstream = serve();
    start();
    std::atomic<bool> done = false;
    std::thread load([&] { load_until(done, false); });
    EXPECT_TRUE(upstream.wait_for_heads(50));
    for (int round = 0; round < 10; ++round) {
        reload(
            {.host = "response_headers: { set: { X-Round: \"" + std::to_string(round) + "\" } }"});
    }
    EXPECT_TRUE(upstream.wait_for_heads(upstream.heads() + 50));
    done = true;
    load.join();
    EXPECT_EQ(lost, 0) << good << " went well";
    EXPECT_TRUE(eventually([&] { return get("/").fields.value("X-Round") == "9"; }));
}

TEST_P(MatrixDrain, ReloadLetsRunningRequestsEndOnTheirOwnTerms) {
    Gate& go_on = new_gate();
    auto& upstream = serve([&](Served& served) {
        served.receive();
        if (served.head().path == "/wait") static_cast<void>(go_on.wait());
        served.reply(give("x"));
    });
    start({.host = "response_headers: { set: { X-Round: old } }"});
    const auto waits = client().open(ask_for("/wait"));
    ASSERT_NE(waits, nullptr);
    ASSERT_TRUE(upstream.wait_for_heads(1));
    reload({.host = "response_headers: { set: { X-Round: new } }"});
    EXPECT_TRUE(eventually([&] { return get("/").fields.value("X-Round") == "new"; }));
    go_on.open();
    const auto answer = waits->answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.fields.value("X-Round"), "old");
}

TEST_P(MatrixDrain, QuitUnderLoadLosesNothing) {
    auto& upstream = serve();
    start();
    const std::atomic<bool> never = false;
    std::thread load([&] { load_until(never, true); });
    EXPECT_TRUE(upstream.wait_for_heads(100));
    daemon().signal(SIGQUIT);
    EXPECT_EQ(daemon().wait_exit(), (ExitStatus{0, 0}));
    load.join();
    EXPECT_EQ(lost, 0) << good << " went well";
}

TEST_P(MatrixDrain, AccessLineTellsBothSides) {
    auto& upstream = serve_handled([](const Incoming&) { return give("twelve bytes"); });
    start();
    ask(post("hello", "/logged?x=1"));
    const auto line = daemon().access(0);
    EXPECT_EQ(line["request_method"].text(), "POST");
    EXPECT_EQ(line["request_uri"].text(), "/logged?x=1");
    EXPECT_EQ(line["host"].text(), "app.test");
    EXPECT_EQ(line["server_protocol"].text(), down_is(Version::h1) ? "HTTP/1.1" : "HTTP/2.0");
    EXPECT_EQ(line["status"].text(), "200");
    EXPECT_EQ(line["body_bytes_sent"].text(), "12");
    EXPECT_EQ(line["upstream_addr"].text(), "127.0.0.1:" + std::to_string(upstream.port()));
    EXPECT_EQ(line["ssl_protocol"].text(), GetParam().down_tls ? "TLSv1.3" : "");
    EXPECT_EQ(line["reason"].text(), "");
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixDrain, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
