// Many requests at a time, kept connections and slow readers, for every pair of versions.
#include "support/digest.hpp"
#include "support/protocol/matrix.hpp"

#include <atomic>
#include <thread>

namespace proxyd::test::protocol {
namespace {

class MatrixLoad : public Matrix {};

TEST_P(MatrixLoad, HundredRequestsRunAtTheSameTime) {
    Gate& answer = new_gate();
    auto& upstream = serve([&](Served& served) {
        const auto request = served.receive();
        static_cast<void>(answer.wait());
        served.reply(give(request.path + " " + request.body));
    });
    start();
    std::vector<std::unique_ptr<Sent>> all;
    for (int number = 0; number < 100; ++number) {
        const auto name = std::to_string(number);
        all.push_back(client().open(post("body " + name, "/" + name)));
        ASSERT_NE(all.back(), nullptr);
    }
    ASSERT_TRUE(upstream.wait_for_heads(100)) << upstream.heads();
    answer.open();
    for (int number = 0; number < 100; ++number) {
        const auto name = std::to_string(number);
        const auto got = all[number]->answer();
        EXPECT_EQ(got.body, "/" + name + " body " + name);
    }
    EXPECT_EQ(client().connections(), down_is(Version::h1) ? 100 : 1);
    // HTTP/2 has them on few connections: one or two for each worker.
    if (up_is(Version::h2)) {
        EXPECT_LE(upstream.connections(), 8);
    }
}

TEST_P(MatrixLoad, ConnectionsAreKeptOnBothSides) {
    auto& upstream = serve();
    start();
    for (int number = 0; number < 50; ++number) {
        ASSERT_EQ(ask(number % 2 == 0 ? ask_for("/") : post("x")).status, 200);
    }
    EXPECT_EQ(client().connections(), 1);
    EXPECT_EQ(upstream.connections(), 1);
}

TEST_P(MatrixLoad, ManyClientsGetTheirOwnAnswers) {
    serve_handled([](const Incoming& request) {
        Give answer = give(request.path + pattern(request.path.size() * 1000, 7));
        answer.sized = request.path.size() % 2 == 0;
        return answer;
    });
    start();
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < 8; ++number) {
        threads.emplace_back([&, number] {
            const auto mine = new_client();
            for (int round = 0; round < 40; ++round) {
                const std::string path = "/" + std::string(1 + (number * 7 + round) % 30, 'p');
                const auto answer = mine->get(path);
                const bool right = answer.whole() && answer.status == 200 &&
                                   answer.body == path + pattern(path.size() * 1000, 7);
                if (!right) ++wrong;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST_P(MatrixLoad, StoppedReaderStopsTheUpstream) {
    constexpr std::size_t kTotal = 96U << 20U;
    for (const std::string buffering : {"on", "off"}) {
        SCOPED_TRACE("buffering " + buffering);
        std::atomic<std::size_t> given = 0;
        serve([&](Served& served) {
            served.receive();
            served.answer_head(200, {}, kTotal);
            const std::string block(65'536, 'x');
            while (given < kTotal && served.send(block) == IoStatus::Ok) given += block.size();
            if (given == kTotal) served.finish();
        });
        start({.host = "buffering: " + buffering});
        ClientOptions options;
        options.receive_buffer = 16'384;
        options.window = 65'535;
        const auto slow = new_client(options);
        const auto sent = slow->open(ask_for("/"));
        ASSERT_NE(sent, nullptr);
        auto answer = sent->read_head();
        EXPECT_EQ(answer.status, 200);
        std::size_t before = 1;
        ASSERT_TRUE(eventually([&] {
            const std::size_t now = given;
            const bool still = now == before && now > 0;
            before = now;
            std::this_thread::sleep_for(Duration(100));
            return still;
        }));
        EXPECT_LT(given, 40U << 20U);
        EXPECT_TRUE(daemon().sanitized() || daemon().rss_kib() < 60U << 10U) << daemon().rss_kib();
        sent->read_rest(answer, kLimit, 0);
        EXPECT_EQ(answer.end, End::whole);
        EXPECT_EQ(answer.size, kTotal);
        forget_servers();
    }
}

TEST_P(MatrixLoad, StoppedReaderDoesNotStopOthers) {
    serve([](Served& served) {
        served.receive();
        served.reply(give(served.head().path == "/big" ? std::string(32U << 20U, 'x') : "small"));
    });
    start({.top = "workers: 1"});
    ClientOptions options;
    options.receive_buffer = 65'536;
    options.window = 65'535;
    const auto one = new_client(options);
    const auto big = one->open(ask_for("/big"));
    ASSERT_NE(big, nullptr);
    auto answer = big->read_head();
    for (int count = 0; count < 30; ++count) {
        const auto start = Clock::now();
        ASSERT_EQ(one->get("/small").body, "small");
        EXPECT_LT(Clock::now() - start, Duration(1000));
    }
    big->read_rest(answer, kLimit, 0);
    EXPECT_EQ(answer.size, 32U << 20U);
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixLoad, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
