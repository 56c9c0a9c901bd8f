// WebSocket clients of both versions (RFC 6455, RFC 8441) in front of HTTP/1.1 backends.
#include "support/digest.hpp"
#include "support/protocol/matrix.hpp"

#include <csignal>
#include <thread>

namespace proxyd::test::protocol {
namespace {

class MatrixWebSocket : public Matrix {
  protected:
    static Ask upgrade(std::string path = "/ws") {
        auto request = ask_for(std::move(path));
        request.upgrade = "websocket";
        return request;
    }
    void serve_echo() {
        upstream = &serve([](Served& served) {
            served.answer_head(101, {});
            for (;;) {
                const auto bytes = served.read();
                if (bytes.empty() || served.send(bytes) != IoStatus::Ok) break;
            }
            served.finish();
        });
    }
    std::unique_ptr<Sent> tunnel() {
        auto sent = client().open(upgrade());
        if (sent == nullptr) throw std::runtime_error("no connection");
        const auto answer = sent->read_head();
        EXPECT_EQ(answer.status, down_is(Version::h1) ? 101 : 200);
        return sent;
    }
    Backend* upstream = nullptr;
};

TEST_P(MatrixWebSocket, BytesPassBothWays) {
    serve_echo();
    start();
    const auto sent = tunnel();
    for (const std::string text : {"hello", "\x81\x85mask", "GET / HTTP/1.1\r\n\r\n"}) {
        sent->send(text);
        EXPECT_EQ(sent->read_exactly(text.size()), text);
    }
    sent->finish();
    EXPECT_EQ(sent->read(), "");
    EXPECT_EQ(sent->end(), End::whole);
}

TEST_P(MatrixWebSocket, BackendSeesAnUpgradeOfHttp1) {
    Watched<Incoming> seen;
    serve([&](Served& served) {
        seen.change([&](auto& head) { head = served.head(); });
        served.answer_head(101, {});
        static_cast<void>(served.wait_for_leave());
    });
    start();
    const auto sent = tunnel();
    const auto head = seen.get();
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.path, "/ws");
    EXPECT_EQ(head.authority, "app.test");
    EXPECT_EQ(to_lower(head.fields.value("Upgrade")), "websocket");
    EXPECT_EQ(to_lower(head.fields.value("Connection")), "upgrade");
    EXPECT_EQ(head.fields.value("Sec-WebSocket-Version"), "13");
    EXPECT_EQ(head.fields.value("Sec-WebSocket-Key").size(), 24U);
    EXPECT_EQ(head.fields.value("X-Forwarded-For"), "127.0.0.1");
    EXPECT_FALSE(head.fields.has("Content-Length"));
    EXPECT_FALSE(head.fields.has("Transfer-Encoding"));
    EXPECT_EQ(head.fields.value("X-Forwarded-Proto"), GetParam().down_tls ? "https" : "http");
}

TEST_P(MatrixWebSocket, LargeTransfersKeepTheirBytes) {
    serve_echo();
    start();
    const auto sent = tunnel();
    const auto bytes = pattern(4U << 20U);
    Digest digest;
    std::size_t got = 0;
    // A piece at a time: both directions stay far below what any buffer holds.
    for (std::size_t at = 0; at < bytes.size(); at += 65'536) {
        sent->send(std::string_view(bytes).substr(at, 65'536));
        const auto back = sent->read_exactly(65'536);
        got += back.size();
        digest.add(back);
        if (back.empty()) break;
    }
    EXPECT_EQ(got, bytes.size());
    EXPECT_EQ(digest.value(), digest_of(bytes));
}

TEST_P(MatrixWebSocket, HalfCloseIsPassedOnAndTheOtherWayGoesOn) {
    serve([](Served& served) {
        served.answer_head(101, {});
        std::string heard;
        for (;;) {
            const auto bytes = served.read();
            if (bytes.empty()) break;
            heard += bytes;
        }
        served.send("you said " + heard);
        served.finish();
    });
    start();
    const auto sent = tunnel();
    sent->send("last words");
    sent->finish();
    EXPECT_EQ(sent->read_exactly(19), "you said last words");
    EXPECT_EQ(sent->read(), "");
    EXPECT_EQ(sent->end(), End::whole);
}

TEST_P(MatrixWebSocket, LostClientIsSeenByTheBackend) {
    auto& backend = serve([](Served& served) {
        served.answer_head(101, {});
        static_cast<void>(served.wait_for_leave());
    });
    start();
    {
        const auto sent = tunnel();
        sent->cancel();
        EXPECT_TRUE(backend.wait_for_left(1, Duration(3000)));
    }
    const auto sent = tunnel();
    sent->vanish();
    EXPECT_TRUE(backend.wait_for_left(2, Duration(3000)));
}

TEST_P(MatrixWebSocket, LostBackendIsSeenByTheClient) {
    serve([](Served& served) {
        served.answer_head(101, {});
        served.send("bye");
        served.cut();
    });
    start();
    const auto sent = tunnel();
    EXPECT_EQ(sent->read_exactly(3), "bye");
    EXPECT_EQ(sent->read(), "");
    EXPECT_NE(sent->end(), End::open);
}

TEST_P(MatrixWebSocket, RefusalIsAnOrdinaryAnswer) {
    auto& backend = serve([](Served& served) { served.reply(give("not for you", 403)); });
    start();
    for (int round = 0; round < 2; ++round) {
        const auto sent = client().open(upgrade());
        ASSERT_NE(sent, nullptr);
        const auto answer = sent->answer();
        EXPECT_EQ(answer.status, 403);
        EXPECT_EQ(answer.body, "not for you");
        EXPECT_EQ(answer.end, End::whole);
    }
    EXPECT_EQ(backend.heads(), 2);
}

TEST_P(MatrixWebSocket, OffMeansOff) {
    serve_echo();
    start({.host = "websocket: off"});
    const auto sent = client().open(upgrade());
    ASSERT_NE(sent, nullptr);
    EXPECT_EQ(sent->answer().status, 403);
    EXPECT_EQ(daemon().access(0)["reason"].text(), "upgrade_refused");
    EXPECT_EQ(upstream->heads(), 0);
}

TEST_P(MatrixWebSocket, SilentTunnelEndsWithItsTime) {
    serve_echo();
    start({.host = "timeouts: { upgraded: 300ms, read: 100ms }"});
    const auto sent = tunnel();
    EXPECT_EQ(sent->read(), "");
    EXPECT_NE(sent->end(), End::open);
    EXPECT_EQ(daemon().access(0)["reason"].text(), "timeout_upgraded");
}

TEST_P(MatrixWebSocket, RequestsRunBesideATunnel) {
    serve([](Served& served) {
        if (!served.head().fields.has("Upgrade")) return served.reply(give("plain"));
        served.answer_head(101, {});
        for (;;) {
            const auto bytes = served.read();
            if (bytes.empty() || served.send(bytes) != IoStatus::Ok) return;
        }
    });
    start();
    const auto sent = tunnel();
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(get("/plain").body, "plain");
        sent->send("ping");
        EXPECT_EQ(sent->read_exactly(4), "ping");
    }
}

std::vector<Pairing> to_http1() {
    return {{Version::h1, Version::h1, false, false},
            {Version::h2, Version::h1, false, false},
            {Version::h1, Version::h1, true, true},
            {Version::h2, Version::h1, true, true}};
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixWebSocket, ::testing::ValuesIn(to_http1()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
