// Answers of the upstream get the same strictness: 502 with a reason, never half of them.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* name;
    std::string bytes;
};

std::string answer(const std::string& fields, const std::string& body = "secret") {
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

std::vector<Row> bad_answers() {
    using namespace std::string_literals;
    return {
        {"nothing", ""},
        {"garbage", "\x01\x02\x03 garbage secret\r\n\r\n"},
        {"another protocol", "SSH-2.0-OpenSSH\r\nsecret\r\n\r\n"},
        {"HTTP/0.9 body", "<html>secret</html>\r\n\r\n"},
        {"half a head", "HTTP/1.1 200 OK\r\nContent-Len"},
        {"status 99", "HTTP/1.1 99 Low\r\nContent-Length: 6\r\n\r\nsecret"},
        {"status 600", "HTTP/1.1 600 High\r\nContent-Length: 6\r\n\r\nsecret"},
        {"status 1000", "HTTP/1.1 1000 High\r\nContent-Length: 6\r\n\r\nsecret"},
        {"status 20", "HTTP/1.1 20 Short\r\nContent-Length: 6\r\n\r\nsecret"},
        {"status abc", "HTTP/1.1 abc No\r\nContent-Length: 6\r\n\r\nsecret"},
        {"version 2.0", "HTTP/2.0 200 OK\r\nContent-Length: 6\r\n\r\nsecret"},
        {"ICY", "ICY 200 OK\r\nContent-Length: 6\r\n\r\nsecret"},
        {"CL and TE", answer("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n")},
        {"two lengths", answer("Content-Length: 6\r\nContent-Length: 5\r\n")},
        {"length list", answer("Content-Length: 6, 6\r\n")},
        {"negative length", answer("Content-Length: -6\r\n")},
        {"length with +", answer("Content-Length: +6\r\n")},
        {"huge length", answer("Content-Length: 18446744073709551622\r\n")},
        {"unknown coding", answer("Transfer-Encoding: gzip\r\n")},
        {"coding twice", answer("Transfer-Encoding: chunked, chunked\r\n")},
        {"space before colon", answer("Content-Length : 6\r\n")},
        {"empty name", answer(": x\r\nContent-Length: 6\r\n")},
        {"no colon", answer("nonsense\r\nContent-Length: 6\r\n")},
        {"NUL in a value", answer("A: b\0c\r\nContent-Length: 6\r\n"s)},
        {"CR in a value", answer("A: b\rX: y\r\nContent-Length: 6\r\n")},
        {"LF lines", "HTTP/1.1 200 OK\nContent-Length: 6\n\nsecret"},
        {"control in a value", answer("A: b\x01\r\nContent-Length: 6\r\n")},
        {"endless head", "HTTP/1.1 200 OK\r\nA: " + std::string(200'000, 'a')},
        {"many fields", "HTTP/1.1 200 OK\r\n" +
                            [] {
                                std::string lines;
                                for (int count = 0; count < 20'000; ++count) lines += "A: b\r\n";
                                return lines;
                            }() +
                            "\r\n"},
    };
}

TEST(BadAnswer, Is502WithAReasonAndNothingOfItLeaks) {
    const auto rows = bad_answers();
    std::atomic<std::size_t> current = 0;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.send(rows[current].bytes);
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    for (std::size_t index = 0; index < rows.size(); ++index) {
        SCOPED_TRACE(rows[index].name);
        current = index;
        const auto response = client.get("/");
        ASSERT_EQ(response.status, 502);
        EXPECT_TRUE(response.complete());
        EXPECT_EQ(response.body.find("secret"), std::string::npos);
        EXPECT_FALSE(response.headers.has("A"));
        EXPECT_NE(daemon.access(index)["reason"].text(), "");
    }
    EXPECT_TRUE(daemon.running());
}

TEST(BadAnswer, HeadOverItsBufferNamesTheReason) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nA: " + std::string(9000, 'a') +
                        "\r\nContent-Length: 0\r\n\r\n");
    });
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, buffers: { header: 8k } } }\n",
                  ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "header_too_large");
}

TEST(BadAnswer, HeadOf60kPassesByDefault) {
    FakeUpstream upstream([](const Request&) {
        auto reply = text_reply("x");
        reply.headers.add("A", std::string(60'000, 'a'));
        return reply;
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto response = get_once(daemon.http(), "/");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.value("A").size(), 60'000U);
}

TEST(BadAnswer, BadChunksBreakTheConnection) {
    for (const std::string body : {"zz\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
                                   "3\r\nabcX0\r\n\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\n"}) {
        SCOPED_TRACE(body);
        const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
            Request request;
            if (!connection.read_request(request)) return;
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
            connection.wait_for_close(Duration(5000));
        });
        Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
        const auto response = get_once(daemon.http(), "/");
        EXPECT_TRUE(response.status == 502 || !response.complete()) << response.end;
    }
}

TEST(BadAnswer, BodyBehindABodilessAnswerGoesToNobody) {
    for (const std::string status : {"204 No Content", "304 Not Modified"}) {
        SCOPED_TRACE(status);
        const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
            Request request;
            while (connection.read_request(request)) {
                connection.send(request.target == "/empty"
                                    ? "HTTP/1.1 " + status +
                                          "\r\nContent-Length: 41\r\n\r\n"
                                          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
                                    : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
            }
        });
        Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
        RawClient client(daemon.http());
        EXPECT_EQ(client.get("/empty").status, std::stoi(status));
        EXPECT_EQ(client.get("/next").body, "good");
        EXPECT_EQ(get_once(daemon.http(), "/next").body, "good");
    }
}

TEST(BadAnswer, BytesBehindAnAnswerGoToNobody) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
        }
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 10; ++count) ASSERT_EQ(client.get("/").body, "good");
    EXPECT_EQ(upstream->connections(), 10);
}

TEST(BadAnswer, BytesOnAnIdleConnectionGoToNobody) {
    Gate late;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.reply(text_reply("good"));
            if (connection.number() == 1 && late.wait()) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
            }
        }
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    ASSERT_EQ(client.get("/").body, "good");
    late.open();
    EXPECT_TRUE(upstream->wait_for_open(0)) << "the connection with stray bytes was kept";
    EXPECT_EQ(client.get("/").body, "good");
}

TEST(BadAnswer, FoldedFieldOfAnUpstreamIsJoinedOrRefused) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nA: one\r\n two\r\nContent-Length: 2\r\n\r\nok");
    });
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(*upstream));
    const auto response = get_once(daemon.http(), "/");
    if (response.status == 200) {
        // RFC 9112 5.2: each fold becomes one or more spaces.
        const auto value = response.headers.value("A");
        EXPECT_TRUE(value.starts_with("one ") && value.ends_with(" two")) << value;
        EXPECT_EQ(value.find_first_not_of(' ', 3), value.size() - 3) << value;
        EXPECT_EQ(response.body, "ok");
    } else {
        EXPECT_EQ(response.status, 502);
    }
}

TEST(BadAnswer, Http10AnswersAreTaken) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    Daemon daemon("workers: 1\nhosts: { \"*\": @UP1@ }\n", ups(*upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 3; ++count) {
        const auto response = client.get("/");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.version, "HTTP/1.1");
        EXPECT_EQ(response.body, "ok");
    }
}

}  // namespace
}  // namespace proxyd::test
