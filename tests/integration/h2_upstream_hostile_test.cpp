// Servers that break the rules of HTTP/2: bounded, told apart, and never passed on.
#include "support/daemon.hpp"
#include "support/h2_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

using namespace h2raw;

constexpr auto kConfig = R"(
workers: 1
upstreams:
  app: { servers: [@UP1@], http2: true, retry: off, timeouts: { read: 3s } }
hosts: { "*": app }
)";

using Script = std::function<void(Wire& wire, std::uint32_t stream)>;

// Answers each request by `script`, behind a correct start.
std::unique_ptr<FakeUpstream> raw(Script script, std::string settings = {}) {
    return FakeUpstream::scripted([=](UpstreamConnection& connection) {
        if (!greet(connection.wire(), settings)) return;
        while (const auto stream = next_request(connection.wire())) {
            script(connection.wire(), stream);
        }
    });
}

struct Outcome {
    int status = 0;
    MessageEnd end = MessageEnd::NoHead;
    std::string reason;
};

// Of one request; the daemon must live and serve the next as well (or as badly).
Outcome outcome(Script script, std::string settings = {}) {
    const auto upstream = raw(std::move(script), std::move(settings));
    Daemon daemon(kConfig, ups(*upstream));
    const auto response = get_once(daemon.http(), "/");
    static_cast<void>(get_once(daemon.http(), "/"));
    return {response.status, response.end, daemon.access(0)["reason"].text()};
}

void expect_bad(Script script, const std::string& reason = "upstream_bad_response") {
    const auto result = outcome(std::move(script));
    EXPECT_EQ(result.status, 502);
    EXPECT_EQ(result.reason, reason);
}

TEST(H2Hostile, TheScriptItselfIsGood) {
    const auto result = outcome([](Wire& wire, std::uint32_t stream) {
        wire.send(answer(stream) + frame(kData, kEndStream, stream, "hello"));
    });
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.end, MessageEnd::LastChunk);
}

TEST(H2Hostile, HeadsThatAreNotValid) {
    const auto with = [](std::string fields) {
        return [fields = std::move(fields)](Wire& wire, std::uint32_t stream) {
            wire.send(frame(kHeaders, kEndHeaders | kEndStream, stream, fields));
        };
    };
    expect_bad(with(field("x", "no status")));
    expect_bad(with(field(":status", "2000")));
    expect_bad(with(field(":status", "20")));
    expect_bad(with("\x88" + field(":status", "200")));
    expect_bad(with("\x88" + field("X-Upper", "1")));
    expect_bad(with("\x88" + field("connection", "close")));
    expect_bad(with("\x88" + field("transfer-encoding", "chunked")));
    expect_bad(with("\x88" + field("x", "a\r\nb: c")));
    expect_bad(with("\x88" + field("x", std::string("a\0b", 3))));
    expect_bad(with("\x88" + field("", "empty name")));
    expect_bad(with("\x88" + field("content-length", "5")));
    expect_bad(with("\x88" + field("content-length", "-1")));
    expect_bad(with("\x88" + field("content-length", "1") + field("content-length", "1")));
    expect_bad(with(field(":status", "101")));
    expect_bad(with(field(":status", "103")));
    expect_bad(with("\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(H2Hostile, ALengthThatIsNotKeptIsCut) {
    for (const std::string body : {"abc", "abcdefgh"}) {
        const auto result = outcome([&](Wire& wire, std::uint32_t stream) {
            wire.send(answer(stream, kEndHeaders, field("content-length", "5")) +
                      frame(kData, kEndStream, stream, body));
        });
        const bool cut = result.status == 502 || result.end > MessageEnd::ConnectionClose;
        EXPECT_TRUE(cut) << result.status << " " << result.end;
    }
}

TEST(H2Hostile, AConnectionThatEndsInsideTheBodyIsCut) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        if (!greet(connection.wire())) return;
        const auto stream = next_request(connection.wire());
        connection.send(answer(stream) + frame(kData, 0, stream, "half"));
    });
    Daemon daemon(kConfig, ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").end, MessageEnd::CutChunks);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_body_cut");
}

TEST(H2Hostile, PushesAreRefused) {
    expect_bad([](Wire& wire, std::uint32_t stream) {
        wire.send(frame(kPush, kEndHeaders, stream,
                        number(2) + "\x82\x86\x84" + field(":authority", "a")) +
                  answer(stream, kEndHeaders | kEndStream));
    });
}

TEST(H2Hostile, DataOfStreamsThatDoNotExist) {
    expect_bad([](Wire& wire, std::uint32_t) { wire.send(frame(kData, 0, 99, "x")); });
    expect_bad([](Wire& wire, std::uint32_t) { wire.send(frame(kData, 0, 0, "x")); });
    expect_bad([](Wire& wire, std::uint32_t stream) {
        wire.send(frame(kData, kEndStream, stream, "no head"));
    });
}

TEST(H2Hostile, WindowsThatOverflow) {
    expect_bad([](Wire& wire, std::uint32_t) {
        wire.send(frame(kWindow, 0, 0, number(0x7fffffff)) +
                  frame(kWindow, 0, 0, number(0x7fffffff)));
    });
    expect_bad([](Wire& wire, std::uint32_t stream) {
        wire.send(frame(kWindow, 0, stream, number(0x7fffffff)));
    });
}

TEST(H2Hostile, FramesThatAreTooLong) {
    expect_bad([](Wire& wire, std::uint32_t stream) {
        wire.send(answer(stream).substr(0, 0) +
                  frame(kHeaders, kEndHeaders, stream, std::string(20'000, 'x')));
    });
}

TEST(H2Hostile, HeadsThatNeverEnd) {
    expect_bad([](Wire& wire, std::uint32_t stream) {
        wire.send(frame(kHeaders, 0, stream, "\x88"));
        for (int count = 0; count < 1000; ++count) {
            if (wire.send(frame(kContinuation, 0, stream, field("x", "y"))) != IoStatus::Ok) return;
        }
    });
    const auto large = [](Wire& wire, std::uint32_t stream) {
        std::string fields = "\x88";
        for (int count = 0; count < 10; ++count) fields += field("x", std::string(8000, 'a'));
        wire.send(frame(kHeaders, 0, stream, fields.substr(0, 16'000)));
        for (std::size_t at = 16'000; at < fields.size(); at += 16'000) {
            const bool last = at + 16'000 >= fields.size();
            wire.send(
                frame(kContinuation, last ? kEndHeaders : 0, stream, fields.substr(at, 16'000)));
        }
    };
    expect_bad(large, "header_too_large");
    expect_bad(
        [](Wire& wire, std::uint32_t stream) {
            std::string fields = "\x88";
            for (int count = 0; count < 1000; ++count) fields += field("x", "");
            wire.send(frame(kHeaders, kEndHeaders | kEndStream, stream, fields));
        },
        "header_too_large");
}

// One field of 4000 bytes in the table, then a byte for each time it comes again.
TEST(H2Hostile, AFieldTableThatExplodes) {
    expect_bad(
        [](Wire& wire, std::uint32_t stream) {
            std::string fields = "\x88";
            std::string entry = field("x", std::string(4000, 'a'));
            entry[0] = '\x40';
            fields += entry + std::string(12'000, '\xbe');
            wire.send(frame(kHeaders, kEndHeaders | kEndStream, stream, fields));
        },
        "header_too_large");
}

TEST(H2Hostile, InformationalAnswersWithoutEnd) {
    expect_bad([](Wire& wire, std::uint32_t stream) {
        for (int count = 0; count < 1000; ++count) {
            const auto head = frame(kHeaders, kEndHeaders, stream, field(":status", "103"));
            if (wire.send(head) != IoStatus::Ok) return;
        }
    });
}

TEST(H2Hostile, TrailersWithoutEnd) {
    const auto result = outcome([](Wire& wire, std::uint32_t stream) {
        std::string fields;
        for (int count = 0; count < 15; ++count) fields += field("x", std::string(1000, 'a'));
        wire.send(answer(stream) + frame(kData, 0, stream, "x") +
                  frame(kHeaders, 0, stream, fields) +
                  frame(kContinuation, kEndHeaders | kEndStream, stream, fields));
    });
    EXPECT_NE(result.end, MessageEnd::LastChunk);
}

TEST(H2Hostile, FloodsOfFramesWithoutUse) {
    const std::string ping = frame(kPing, 0, 0, "12345678");
    const std::string settings = frame(kSettings, 0, 0, "");
    for (const auto& each : {ping, settings}) {
        expect_bad([each](Wire& wire, std::uint32_t) {
            std::string many;
            for (int count = 0; count < 1000; ++count) many += each;
            for (int count = 0; count < 100; ++count) {
                if (wire.send(many) != IoStatus::Ok) return;
            }
        });
    }
    const auto result = outcome([](Wire& wire, std::uint32_t stream) {
        std::string many = answer(stream);
        for (int count = 0; count < 10'000; ++count) many += frame(kData, 0, stream, "");
        wire.send(many);
    });
    EXPECT_FALSE(result.status == 200 && result.end == MessageEnd::LastChunk);
}

TEST(H2Hostile, AStreamThatIsResetForEachRequestIsNoFlood) {
    const auto upstream = raw([](Wire& wire, std::uint32_t stream) {
        wire.send(answer(stream, kEndHeaders | kEndStream) +
                  frame(kWindow, 0, stream, number(1000)) + frame(kPing, kAck, 0, "12345678"));
    });
    Daemon daemon(kConfig, ups(*upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 500; ++count) {
        ASSERT_EQ(client.get("/").status, 200) << count;
    }
    EXPECT_EQ(upstream->connections(), 1);
}

// As gRPC's servers do: windows opened for each message, a PING to measure the line.
TEST(H2Hostile, FramesThatFollowFromSmallMessagesAreNoFlood) {
    const auto upstream = raw([](Wire& wire, std::uint32_t stream) {
        wire.send(answer(stream));
        while (const auto message = next(wire, kData)) {
            if ((message->flags & kEndStream) != 0) break;
            wire.send(frame(kWindow, 0, 0, number(5)) + frame(kWindow, 0, stream, number(5)) +
                      frame(kPing, 0, 0, "12345678") + frame(kData, 0, stream, "x"));
        }
        wire.send(frame(kData, kEndStream, stream, ""));
    });
    Daemon daemon(kConfig, ups(*upstream));
    RawClient client(daemon.http());
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    for (int count = 0; count < 1500; ++count) {
        client.send("5\r\nhello\r\n");
        if (count == 0) {
            ASSERT_EQ(client.read_head().status, 200);
        }
        ASSERT_EQ(client.read_exactly(6), "1\r\nx\r\n") << count;
    }
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read_exactly(5), "0\r\n\r\n");
}

TEST(H2Hostile, AnIdleConnectionThatAllowsNoStreamIsNotUsed) {
    const auto upstream =
        raw([](Wire& wire,
               std::uint32_t stream) { wire.send(answer(stream, kEndHeaders | kEndStream)); },
            std::string("\0\3", 2) + number(0));
    Daemon daemon(kConfig, ups(*upstream));
    for (int count = 1; count <= 3; ++count) {
        EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
        EXPECT_EQ(upstream->connections(), count);
    }
}

TEST(H2Hostile, GarbageInsteadOfFrames) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        connection.send(std::string(100'000, '\x55'));
        static_cast<void>(connection.wait_for_close());
    });
    Daemon daemon(kConfig, ups(*upstream));
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    }
}

TEST(H2Hostile, AHeadThatComesByteByByteIsATimeout) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        if (!greet(connection.wire())) return;
        const auto stream = next_request(connection.wire());
        const std::string slow = field("x", std::string(5000, 'a'));
        connection.send(frame(kHeaders, 0, stream, "\x88" + slow).substr(0, 20));
        static_cast<void>(connection.drip(slow, Duration(50)));
    });
    Daemon daemon(R"(
workers: 1
upstreams: { app: { servers: [@UP1@], http2: true, retry: off, timeouts: { read: 500ms } } }
hosts: { "*": app }
)",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 504);
}

}  // namespace
}  // namespace proxyd::test
